/** How payloads are encrypted in the embedded mode: as the environment says, else with a key of this machine. */
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { payloadCodecFor } from '../temporal/codec-converter.js';
import { writeNewKey } from '../temporal/codec-keys.js';

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The variables that say how, complete.
 *
 * @param home MUSTER_HOME; the key lies in `keys/payload.key` there, made when it is needed first
 * @throws InputError for keys that cannot be used
 */
export async function payloadSettings(
  home: string,
  env: Environment,
): Promise<{ readonly MUSTER_PAYLOAD_KEYS?: string; readonly MUSTER_PAYLOAD_ENCRYPTION?: string }> {
  const { MUSTER_PAYLOAD_ENCRYPTION, MUSTER_PAYLOAD_KEYS } = env;
  if (!MUSTER_PAYLOAD_KEYS && MUSTER_PAYLOAD_ENCRYPTION !== 'off') {
    const file = join(home, 'keys', 'payload.key');
    if (!existsSync(file)) {
      await mkdir(dirname(file), { recursive: true, mode: 0o700 });
      await writeNewKey(file);
    }
    const own = { MUSTER_PAYLOAD_KEYS: `file:${file}` };
    await payloadCodecFor({ ...env, ...own });
    return own;
  }
  await payloadCodecFor(env);
  return {
    ...(MUSTER_PAYLOAD_KEYS ? { MUSTER_PAYLOAD_KEYS } : {}),
    ...(MUSTER_PAYLOAD_ENCRYPTION ? { MUSTER_PAYLOAD_ENCRYPTION } : {}),
  };
}
