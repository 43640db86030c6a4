/** Applications and clients, asked how they are. */

/** What a page says. @throws Error with its reason when it is not well */
export async function answersWell(url: string): Promise<Record<string, unknown>> {
  const answer = await get(url);
  const body = (await answer.json()) as Record<string, unknown>;
  if (!answer.ok) throw new Error(String(body.reason ?? `${url} answers ${answer.status}`));
  return body;
}

/** @throws Error when nobody answers */
export async function responds(url: string): Promise<void> {
  await get(url);
}

function get(url: string): Promise<Response> {
  return fetch(url, { signal: AbortSignal.timeout(3_000) });
}
