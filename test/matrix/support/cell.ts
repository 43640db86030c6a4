/** A cell of the matrix: a disaster, the recovery from it, and an independent look at what came out. */
import type { UpOptions } from '../../../lab/world.js';
import type { Diagnosis } from '../../../src/cli/diagnosing.js';
import type { RunResult } from '../../../src/model/run.js';
import { COMMANDER, type Incident, useIncident } from '../../support/incident.js';
import { type TestLab, useLab } from '../../support/lab.js';
import { type Command, commandUntilOver } from './commander.js';
import { measured } from './measured.js';

export interface Stage {
  readonly lab: TestLab;
  readonly incident: Incident;
}

/** What the disaster did. */
export interface Struck {
  /** Arguments of `muster recover <scenario> <system>`: when it was detected, what is known of it. */
  readonly begin: readonly string[];
  /** Records that are known to be safe: none of them may be missing afterwards. */
  readonly safe: ReadonlySet<string>;
}

export interface Recovered extends Stage, Struck {
  readonly result: RunResult;
}

export interface CellOptions extends Command {
  /** As the matrix names it; the file is called `<scenario>-<system>.test.ts`, with `-<variant>` where there is one. */
  readonly scenario: string;
  readonly system: string;
  readonly variant?: string;
  readonly lab?: Partial<UpOptions>;
  /** The disaster in a lab that is up, and what is to be known of it. */
  readonly strike: (stage: Stage) => Promise<Struck>;
  /** Which scenario `muster diagnose` must propose first once the disaster has struck; left out: it is not asked. */
  readonly diagnosed?: string;
  /** Looks past Muster's own code. @returns everything that is not as it must be; see `ledgerIsRight` for a ledger */
  readonly look: (recovered: Recovered) => Promise<readonly string[]>;
  /** Further things that must be so, each a test of its own. */
  readonly also?: Readonly<Record<string, (recovered: Recovered) => Promise<void>>>;
}

const LONGEST_MS = 600_000;

/** Declares the tests of the cell. RTO and RPO go into the table. */
export function cell(options: CellOptions): void {
  const { scenario, system, variant, strike, look, also = {} } = options;
  const name = [scenario, system, variant].filter(Boolean).join(' ');
  const lab = useLab({ worker: 'when-built', ...options.lab });
  const incident = useIncident(lab, system);
  let recovered: Recovered | undefined;
  const after = (): Recovered => {
    if (recovered === undefined) throw new Error('the recovery did not get that far');
    return recovered;
  };

  it(
    'recovers',
    async () => {
      const stage: Stage = { lab, incident };
      const struck = await strike(stage);
      if (options.diagnosed !== undefined) expect(await diagnosedOf(stage)).toBe(options.diagnosed);
      const how = ['--by', COMMANDER, '--yes', '--no-watch', '--json'];
      const begun = await incident.muster('recover', scenario, system, ...struck.begin, ...how);
      if (begun.code !== 0) throw new Error(`exit code ${begun.code}: ${begun.stderr}`);
      const result = await commandUntilOver(incident, options);
      measured(name, result);
      expect(result.view.status).toBe('recovered');
      recovered = { ...stage, ...struck, result };
    },
    LONGEST_MS,
  );

  const diagnosedOf = async (stage: Stage) => {
    const { code, stdout } = await stage.incident.muster('diagnose', system, '--json');
    expect({ code, said: code === 3 ? '' : stdout }).toEqual({ code: 3, said: '' });
    return (JSON.parse(stdout) as Pick<Diagnosis, 'proposals'>).proposals[0]?.scenario;
  };

  it('is as it must be, seen past Muster', async () => expect(await look(after())).toEqual([]), 120_000);

  it('keeps a journal without a gap', async () => {
    const { runId } = after().result.view;
    expect(await incident.muster('journal', 'verify', runId)).toMatchObject({ code: 0 });
  });

  for (const [title, check] of Object.entries(also)) it(title, () => check(after()), 120_000);
}
