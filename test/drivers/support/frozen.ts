import { chmod, mkdir, mkdtemp, readdir, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DatabaseAt } from '../../../activities/contract.js';
import { binDirectoryOf } from '../../../activities/service/index.js';
import { eventually } from '../../support/eventually.js';

export interface Frozen {
  /** The database as it is seen by a worker that will stand still. */
  readonly at: DatabaseAt;
  /** Returns when it stands still. */
  stands(): Promise<unknown>;
  wake(): Promise<void>;
}

/**
 * A worker that stands still with the answer of pg_controldata in its hands, as one does that is frozen.
 *
 * @param folder where the stand-in program may be put
 * @param nth the how many-th call it is that is not answered
 */
export async function frozenAtControlData(real: DatabaseAt, folder: string, nth: number): Promise<Frozen> {
  await mkdir(folder, { recursive: true });
  const bin = await mkdtemp(join(folder, 'bin-'));
  const programs = await binDirectoryOf(real.postgres);
  const frozen = join(bin, 'frozen');
  const calls = join(bin, 'calls');
  for (const program of await readdir(programs)) await symlink(join(programs, program), join(bin, program));
  await rm(join(bin, 'pg_controldata'));
  const script = `#!/bin/sh
answer=$(${join(programs, 'pg_controldata')} "$@") || exit
echo >> ${calls}
if [ $(wc -l < ${calls}) = ${nth} ]; then
  touch ${frozen}
  while [ -e ${frozen} ]; do sleep 0.02; done
fi
echo "$answer"
`;
  await writeFile(join(bin, 'pg_controldata'), script, { mode: 0o755 });
  await chmod(bin, 0o777);
  const { postgres } = real;
  return {
    at: { ...real, postgres: { ...postgres, service: { ...postgres.service, binDirectory: bin } } },
    stands: () => eventually(() => stat(frozen)),
    wake: () => rm(frozen),
  };
}
