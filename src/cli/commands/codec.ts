/** `muster codec`: the keys that payloads in Temporal are encrypted with. */
import type { Register } from '../context.js';

export const register: Register = (program, context) => {
  const codec = program
    .command('codec')
    .description('the keys that payloads in Temporal are encrypted with')
    .addHelpText(
      'after',
      `
MUSTER_PAYLOAD_KEYS names them, separated by commas: the first one encrypts, all
decrypt. To change the key, put the new one first and keep the old one behind it
until no run that was written with it is needed any more.

Examples:
  muster codec new-key /etc/muster/payload.key
  muster codec keys`,
    );
  codec
    .command('new-key')
    .description('make a key in a new file that only its owner can read')
    .argument('<file>', 'where it goes; a file that is there is never overwritten')
    .addHelpText('after', '\nExamples:\n  muster codec new-key /etc/muster/payload.key')
    .action(async (file: string) => {
      const { resolve } = await import('node:path');
      const { writeNewKey } = await import('../../temporal/codec-keys.js');
      const path = resolve(context.world.cwd, file);
      const { id } = await writeNewKey(path);
      context.out.result({ file: path, keyId: id, reference: `file:${path}` }, () =>
        [
          `Key ${id} is in ${path}.`,
          `Give it to every worker and command line: MUSTER_PAYLOAD_KEYS=file:${path}`,
          'Keep a copy where a disaster does not reach: without it what it encrypted cannot be read.',
        ].join('\n'),
      );
    });
  codec
    .command('keys')
    .description('which keys are in the ring, and which of them encrypts')
    .addHelpText('after', '\nExamples:\n  muster codec keys --json')
    .action(async () => {
      const { readKeyRing } = await import('../../temporal/codec-keys.js');
      const { encryption } = await import('../../temporal/codec-converter.js');
      const state = encryption(context.world.env);
      const keys = (await readKeyRing(context.world.env)).map(({ id }) => id);
      context.out.result({ encryption: state, keys }, () =>
        [
          ...keys.map(
            (id, index) => `${id}  ${index === 0 && state === 'on' ? 'encrypts and decrypts' : 'decrypts'}`,
          ),
          ...(keys.length === 0 ? ['No key is named in MUSTER_PAYLOAD_KEYS.'] : []),
          ...(state === 'off' ? ['MUSTER_PAYLOAD_ENCRYPTION=off: new payloads are in clear.'] : []),
        ].join('\n'),
      );
    });
};
