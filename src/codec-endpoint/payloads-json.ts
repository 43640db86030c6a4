/** Payloads as the remote codec protocol writes them: protobuf's JSON, bytes in Base64. */
import type { Payload } from '@temporalio/common';
import { z } from 'zod';

const bytes = z
  .string()
  .regex(/^[A-Za-z0-9+/_-]*={0,2}$/, 'Base64')
  .transform((text): Uint8Array => Buffer.from(text, 'base64'));

const body = z.object({
  payloads: z
    .array(z.object({ metadata: z.record(z.string(), bytes).nullish(), data: bytes.nullish() }))
    .nullish(),
});

/** @throws Error in words for what is no list of payloads; what was sent is not repeated */
export function readPayloads(text: string): Payload[] {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new Error('The body is not JSON.');
  }
  const read = body.safeParse(json);
  if (read.success) return (read.data.payloads ?? []) as Payload[];
  const [issue] = read.error.issues;
  throw new Error(`The body is not {"payloads": [...]}: ${issue?.path.join('.')}: ${issue?.message}.`);
}

export function writePayloads(payloads: readonly Payload[]): unknown {
  return {
    payloads: payloads.map(({ metadata, data }) => ({
      metadata: Object.fromEntries(
        Object.entries(metadata ?? {}).map(([name, value]) => [name, base64(value ?? new Uint8Array())]),
      ),
      data: base64(data ?? new Uint8Array()),
    })),
  };
}

function base64(value: Uint8Array): string {
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64');
}
