/** How everything that Muster hands to Temporal is written: one rule for clients, workers, the codec endpoint and tests. */
import { fileURLToPath } from 'node:url';
import type { DataConverter, PayloadCodec } from '@temporalio/common';
import { InputError } from '../errors.js';
import { EncryptingCodec } from './codec.js';
import { demandKeys, readKeyRing } from './codec-keys.js';

type Environment = Readonly<Record<string, string | undefined>>;

/** Loaded by Temporal's own code with `require`, and built into the workflows' bundle. */
export const failureConverterPath = fileURLToPath(new URL('./codec-failures.cjs', import.meta.url));

/**
 * The data converter that the environment asks for. Payloads, summaries, details, heartbeats, messages and stack traces of
 * failures are encrypted with the first of `MUSTER_PAYLOAD_KEYS`, unless `MUSTER_PAYLOAD_ENCRYPTION=off`; search attributes
 * never are, as Temporal has to find by them. With `off` what was encrypted earlier is still read, with the keys that are named.
 *
 * @throws InputError when encryption is not switched off and there is no key, or a key cannot be used
 */
export async function dataConverterFor(env: Environment = process.env): Promise<DataConverter> {
  const codec = await payloadCodecFor(env);
  if (codec === undefined) return {};
  return {
    payloadCodecs: [codec],
    ...(encryption(env) === 'on' ? { failureConverterPath } : {}),
  };
}

/**
 * The codec alone.
 *
 * @returns undefined where encryption is off and no key is named
 * @throws InputError like {@link dataConverterFor}
 */
export async function payloadCodecFor(env: Environment): Promise<PayloadCodec | undefined> {
  const sealing = encryption(env) === 'on' ? 'seals' : 'only-opens';
  const keys = await readKeyRing(env);
  if (keys.length > 0) return new EncryptingCodec(keys, sealing);
  if (sealing === 'seals') demandKeys();
  return undefined;
}

/** What whoever begins something is told where encryption is off. */
export const PAYLOADS_IN_CLEAR =
  'MUSTER_PAYLOAD_ENCRYPTION=off: whoever reads the Temporal server or its backups reads the runs.';

/** @throws InputError for what is neither on nor off: a slip of the pen never writes secrets in clear */
export function encryption(env: Environment): 'on' | 'off' {
  const given = env.MUSTER_PAYLOAD_ENCRYPTION || 'on';
  if (given === 'on' || given === 'off') return given;
  throw new InputError('It is not clear whether payloads are to be encrypted.', [
    { field: 'MUSTER_PAYLOAD_ENCRYPTION', given, allowed: 'on (also when left out) or off' },
  ]);
}
