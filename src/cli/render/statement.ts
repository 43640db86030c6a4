/** How somebody signs and sends a decision without Muster, step by step. */
import { formatTimeOfDay } from '../../model/format.js';
import { type DemandedProof, demandedInWords } from '../../people/demanded.js';
import { NAMESPACE } from '../../people/prove.js';
import type { Colors } from '../output.js';

export interface ShownStatement {
  readonly runId: string;
  readonly workflowId: string;
  readonly statement: string;
  readonly decision: { readonly by: string; readonly proof: { readonly at: string } };
  /** Where it was written, exactly as it is signed. */
  readonly file: string | null;
  /** undefined: no runbook here says. */
  readonly demanded: DemandedProof | undefined;
}

/** Of the Temporal CLI, where payloads are encrypted. */
export const ANSWER_IN_CLEAR =
  'It counts as it stands; with --codec-endpoint URL (docs/encryption.md) its answer can be read where payloads are encrypted.';
const COUNTS_FOR_MS = 5 * 60_000;

export function renderStatement(shown: ShownStatement, colors: Colors): string {
  const { runId, workflowId, statement, decision, demanded } = shown;
  const until = formatTimeOfDay(new Date(Date.parse(decision.proof.at) + COUNTS_FOR_MS).toISOString());
  const file = shown.file ?? 'statement.txt';
  const needs = demanded === undefined ? 'a proof, if the roster asks for one' : demandedInWords(demanded);
  const written = shown.file === null ? 'put it into statement.txt' : `it stands in ${file}`;
  const send = `temporal workflow update execute --workflow-id ${workflowId} --name decide --input-file decision.json`;
  const signing =
    demanded?.signature === false
      ? []
      : [
          '',
          colors.bold(`Sign it with one of these; ${written}:`),
          `  ssh-keygen -Y sign -n ${NAMESPACE} -f ~/.ssh/id_ed25519 ${file}`,
          `  openssl pkeyutl -sign -rawin -inkey key.pem -in ${file} | base64 -w0`,
        ];
  return [
    `${runId}: ${decision.by} needs ${needs}. What is sent counts until ${until}.`,
    ...(demanded?.impossible === undefined ? [] : [colors.red(demanded.impossible)]),
    ...(demanded?.signature === false ? [] : ['', colors.bold('The text to sign:'), statement]),
    ...signing,
    '',
    colors.bold(
      'Fill in what stands in capitals, then send it by the Temporal UI (update decide) or as decision.json:',
    ),
    JSON.stringify(decision),
    `  ${send}`,
    ANSWER_IN_CLEAR,
  ].join('\n');
}
