import { messageOf } from '../../src/errors.js';
import type { Account } from '../account.js';
import { LabError } from '../errors.js';
import { isRunning, lastLines, type ProcessMark, startDetached, stopProcess } from '../process.js';
import type { PartName, PartState } from '../state.js';
import { waitFor } from '../wait.js';

/** How one process of the lab is started, and how one sees that it works. */
export interface PartSpec {
  readonly name: PartName;
  readonly command: string;
  readonly args: readonly string[];
  /** Secrets go here or into files, never into `args`. */
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly account?: Account;
  readonly address: string;
  readonly logFile: string;
  readonly dataDir?: string;
  readonly stopSignal: NodeJS.Signals;
  readonly deadlineMs: number;
  /** Throws the reason while the part does not do its work. */
  readonly answers: () => Promise<void>;
  /**
   * The least that a part which already runs must do to be kept, where that is less: the application answers
   * "unavailable" while its database is being recovered, and is left alone.
   */
  readonly responds?: () => Promise<void>;
  /** Like `answers`, where it takes the process's own number to see that it is this one that answers. */
  readonly answersAs?: (pid: number) => Promise<void>;
}

/** What an `up` knows about processes: those of an earlier one, and those it has started itself. */
export interface PartKeeper {
  readonly known: (name: PartName) => PartState | undefined;
  /** Called as soon as a process exists, before it answers, so that no crash leaves an unknown process behind. */
  readonly started: (name: PartName, part: PartState) => Promise<void>;
  readonly log: (line: string) => void;
}

/**
 * Keeps the part when it still runs and answers; else (re)starts it and waits until it answers.
 *
 * @throws LabError with the last lines of the part's log when it ends or does not answer in time.
 */
export async function ensurePart(spec: PartSpec, keeper: PartKeeper): Promise<void> {
  const known = keeper.known(spec.name);
  if (known && isRunning(known)) {
    try {
      await (spec.responds ?? answering(spec, known))();
      return;
    } catch {
      keeper.log(`${spec.name}: runs but does not answer, restarting it`);
      await stopProcess(known, spec.stopSignal);
    }
  }
  const begun = performance.now();
  const mark = await startPart(spec);
  await keeper.started(spec.name, {
    ...mark,
    address: spec.address,
    logFile: spec.logFile,
    ...(spec.dataDir === undefined ? {} : { dataDir: spec.dataDir }),
    startedAt: new Date().toISOString(),
    stopSignal: spec.stopSignal,
  });
  await untilAnswers(spec, mark);
  keeper.log(
    `${spec.name}: ready in ${((performance.now() - begun) / 1000).toFixed(1)} s at ${spec.address}`,
  );
}

/** Starts the process without waiting for it to answer. @throws LabError when it cannot be run at all. */
export async function startPart(spec: PartSpec): Promise<ProcessMark> {
  try {
    return await startDetached(spec);
  } catch (error) {
    throw new LabError(
      `${spec.name} could not be started with ${spec.command}: ${messageOf(error)}.`,
      'See whether the program is there and may be run by this account.',
      error,
    );
  }
}

/** Waits until a started part answers. @throws LabError with the end of its log. */
export async function untilAnswers(spec: PartSpec, mark: ProcessMark): Promise<void> {
  try {
    await waitFor(
      {
        what: `${spec.name} to answer at ${spec.address}`,
        deadlineMs: spec.deadlineMs,
        giveUp: async () => {
          if (!isRunning(mark))
            throw new LabError(`${spec.name} ended right after its start.`, 'Read its log.');
        },
      },
      answering(spec, mark),
    );
  } catch (error) {
    const lines = await lastLines(spec.logFile, 15);
    throw new LabError(
      `${messageOf(error)}\nLast lines of ${spec.logFile}:\n${lines.map((line) => `  ${line}`).join('\n')}`,
      'Correct what the log complains about, then run muster lab up again.',
      error,
    );
  }
}

function answering(spec: PartSpec, { pid }: ProcessMark): () => Promise<void> {
  const { answersAs } = spec;
  return answersAs ? () => answersAs(pid) : spec.answers;
}
