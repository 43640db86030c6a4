import { adoptableRun } from '../../src/adopt/from-journal.js';
import { wholeJournal } from '../../src/adopt/whole-journal.js';
import type { DecisionView } from '../../src/model/run.js';
import { BEFORE_THE_FIRST, type ChainedEntry, chain, type JournalBody } from '../../src/store/chain.js';

type Line = Partial<JournalBody> & Pick<JournalBody, 'kind'>;

const detectedAt = '2026-11-21T03:02:11.000Z';
const input = {
  runId: 'payymo-run',
  mode: 'real',
  requestedBy: 'on-call',
  commander: 'on-call',
  detectedAt,
  planHash: 'a'.repeat(64),
  expectations: {},
  params: { before: detectedAt },
  runbook: { system: 'payymo' },
};

const atOf = (index: number) => new Date(Date.UTC(2026, 10, 21, 3, 3, index)).toISOString();

/** A journal that begins with the run's start; entries get their numbers and times by their order. */
function journal(...lines: readonly Line[]): ChainedEntry[] {
  const start: Line = { kind: 'run-started', data: { scenario: 'corruption', input } };
  const bodies = [start, ...lines].map(
    (line, position): JournalBody => ({
      runId: 'payymo-run',
      system: 'payymo',
      scenario: 'corruption',
      mode: 'real',
      index: position + 1,
      at: atOf(position + 1),
      text: `${line.kind} ${line.step ?? ''}`,
      facts: [],
      ...line,
    }),
  );
  return chain(BEFORE_THE_FIRST, bodies);
}

const adopted = (...lines: readonly Line[]) => adoptableRun(journal(...lines)).adoption;

const clock = { workingMs: 5_000, waitingMs: 700 };
const record = (begun: number, more = {}) => ({
  begun,
  workingMs: 100,
  waitingMs: 0,
  startedAt: atOf(2),
  ...more,
});
const started = (step: string, begun = 1): Line => ({
  kind: 'step-started',
  step,
  data: { step: record(begun), clock },
});
const done = (step: string, begun = 1): Line => ({
  kind: 'step-done',
  step,
  data: { step: record(begun, { endedAt: atOf(3) }), clock, output: { summary: `${step} is done`, rows: 7 } },
});
const failure = { code: 'DiskFull', message: 'no room', next: 'make room', at: atOf(4), attempts: 3 };
const failed = (step: string): Line => ({
  kind: 'step-failed',
  step,
  data: { step: record(1), clock, failure },
});
const opened = (step: string): Line => ({ kind: 'gate-opened', step, data: { step: record(1), clock } });
const word = (by: string) => ({ by, roles: ['database-lead'], at: atOf(5), provenBy: ['ed25519'] as const });

function decision(step: string, choice: DecisionView['choice'], more: object = {}): Line {
  const { view = {}, ...data } = more as { view?: object };
  return {
    kind: 'decision',
    step,
    data: {
      view: { choice, by: 'ada', at: atOf(5), channel: 'update', saw: [], ...view },
      approvals: [],
      overriding: [],
      used: [],
      ...data,
    },
  };
}

describe('what the journal says of', () => {
  test('the run: its input as it was begun, its start, its end so far', () => {
    const entries = journal(started('assess'));
    const run = adoptableRun(entries);
    expect(run).toMatchObject({ scenario: 'corruption', system: 'payymo', input });
    expect(run.adoption).toMatchObject({
      entries: 2,
      head: entries[1]?.hash,
      startedAt: atOf(1),
      commander: 'on-call',
      ...clock,
      clockAt: atOf(2),
    });
  });

  test('a step that is done: its output and times', () => {
    expect(adopted(started('assess'), done('assess')).steps.assess).toMatchObject({
      status: 'done',
      underWay: false,
      begun: 1,
      output: { summary: 'assess is done', rows: 7 },
      startedAt: atOf(2),
      endedAt: atOf(3),
      workingMs: 100,
    });
  });

  test('a step that is under way, also where only the intent was written', () => {
    const { steps, beginning } = adopted(started('restore'), { ...started('promote'), kind: 'step-intent' });
    expect(steps.restore).toMatchObject({ status: 'pending', underWay: true, begun: 1 });
    expect(steps.promote).toMatchObject({ status: 'pending', underWay: true, begun: 1 });
    expect(beginning).toEqual(['restore', 'promote']);
  });

  test('a step that failed: it waits for a person, with the failure', () => {
    expect(adopted(started('restore'), failed('restore')).steps.restore).toMatchObject({
      status: 'waiting',
      underWay: false,
      failure,
      openedAt: atOf(3),
    });
  });

  test('a step that was retried: under way again, and done in the end', () => {
    const lines = [
      started('restore'),
      failed('restore'),
      decision('restore', 'retry'),
      started('restore', 2),
    ];
    const { steps } = adopted(...lines);
    expect(steps.restore).toMatchObject({ status: 'pending', underWay: true, begun: 2 });
    expect(steps.restore?.failure).toBeUndefined();
    expect(adopted(...lines, done('restore', 2)).steps.restore).toMatchObject({ status: 'done', begun: 2 });
  });

  test('a retry whose beginning was not written down any more: it begins', () => {
    const { steps } = adopted(started('restore'), failed('restore'), decision('restore', 'retry'));
    expect(steps.restore).toMatchObject({ status: 'pending', underWay: false });
    expect(steps.restore?.failure).toBeUndefined();
  });

  test('a step that a person skipped', () => {
    const skipped: Line = {
      kind: 'step-skipped',
      step: 'lower-dns-ttl',
      data: { step: record(1), clock, note: 'skipped by ada: no matter' },
    };
    expect(
      adopted(started('lower-dns-ttl'), failed('lower-dns-ttl'), decision('lower-dns-ttl', 'skip'), skipped)
        .steps,
    ).toMatchObject({ 'lower-dns-ttl': { status: 'skipped', note: 'skipped by ada: no matter' } });
  });

  test('a step that was invalidated: done again, without its old output', () => {
    const lines = [
      started('restore'),
      done('restore'),
      { kind: 'step-invalidated', step: 'restore' } as Line,
    ];
    expect(adopted(...lines).steps.restore).toMatchObject({ status: 'pending', underWay: false, begun: 1 });
    expect(adopted(...lines).steps.restore?.output).toBeUndefined();
    expect(adopted(...lines, started('restore', 2), done('restore', 2)).steps.restore).toMatchObject({
      status: 'done',
      begun: 2,
    });
  });

  test('an open gate: the words that stand, the opening that signatures name, the proofs that were used', () => {
    const { steps, usedProofs } = adopted(
      opened('gate-point'),
      decision('gate-point', 'approve', { approvals: [word('ada')], used: ['sig-1'] }),
      decision('gate-point', 'approve', { approvals: [word('ada'), word('bob')], used: ['totp-2'] }),
      decision('gate-point', 'withdraw', { approvals: [word('bob')], used: ['sig-3'] }),
    );
    expect(steps['gate-point']).toMatchObject({
      status: 'waiting',
      openedAt: atOf(2),
      approvals: [word('bob')],
    });
    expect(steps['gate-point']?.decisions.map(({ choice }) => choice)).toEqual([
      'approve',
      'approve',
      'withdraw',
    ]);
    expect(usedProofs).toEqual(['sig-1', 'totp-2', 'sig-3']);
  });

  test('a gate with a changed input: it was asked anew then', () => {
    const { steps } = adopted(
      opened('gate-point'),
      decision('gate-point', 'approve', { approvals: [word('ada')], view: { changed: 'another point' } }),
    );
    expect(steps['gate-point']).toMatchObject({ openedAt: atOf(3), approvals: [word('ada')] });
  });

  test('a gate that was denied, and one whose override lacks people', () => {
    const denial = { by: 'ada', reason: 'look again' };
    const { steps } = adopted(
      opened('gate-point'),
      decision('gate-point', 'deny', { denial }),
      opened('gate-promote'),
      decision('gate-promote', 'override', { overriding: [word('cto')] }),
    );
    expect(steps['gate-point']).toMatchObject({ status: 'waiting', denial, approvals: [] });
    expect(steps['gate-promote']).toMatchObject({ status: 'waiting', overriding: [word('cto')] });
  });

  test('a gate that was opened: done, and no word waits there', () => {
    const { steps } = adopted(
      opened('gate-point'),
      decision('gate-point', 'approve', { approvals: [word('ada')] }),
      done('gate-point'),
    );
    expect(steps['gate-point']).toMatchObject({ status: 'done', approvals: [] });
    expect(steps['gate-point']?.decisions).toHaveLength(1);
  });

  test('hold, resume and hand-over', () => {
    const hold = { by: 'on-call', reason: 'wait for the bank', since: atOf(2) };
    const held: Line = { kind: 'held', data: { hold } };
    expect(adopted(held).hold).toEqual(hold);
    expect(adopted(held, { kind: 'resumed' }).hold).toBeUndefined();
    expect(adopted({ kind: 'handed-over', data: { commander: 'bob' } }).commander).toBe('bob');
  });

  test('overrides, and warnings', () => {
    const override = { on: 'point', by: ['cto'], reason: 'nobody answers', at: atOf(2), without: 'a lead' };
    const { overrides, warnings } = adopted(
      { kind: 'warning', text: 'restore: 50 %' },
      { kind: 'warning', text: 'overridden', data: { override } },
    );
    expect(overrides).toEqual([override]);
    expect(warnings).toEqual([
      { at: atOf(2), text: 'restore: 50 %' },
      { at: atOf(3), text: 'overridden' },
    ]);
  });

  test('a run that was being undone, by a decision or because it was told to', () => {
    const lines = [started('provision-target'), done('provision-target'), started('fence-primary')];
    const undone: Line = { kind: 'step-undone', step: 'fence-primary', text: 'writes again' };
    const { aborted, steps, beginning } = adopted(
      ...lines,
      decision('fence-primary', 'abort', { view: { reason: 'false alarm' } }),
      undone,
    );
    expect(aborted).toEqual({ by: 'ada', reason: 'false alarm' });
    expect(steps['fence-primary']).toMatchObject({ status: 'undone', note: 'writes again' });
    expect(beginning).toEqual(['provision-target']);
    const told = { by: 'Temporal', reason: 'the workflow was cancelled' };
    expect(adopted({ kind: 'warning', data: { aborted: told } }).aborted).toEqual(told);
  });

  test('a promotion under way, and a service that is back: the clock has stopped', () => {
    const stopped = { ...clock, actualMs: 60_000 };
    const { steps, actualMs } = adopted(
      { ...started('promote'), kind: 'step-intent' },
      {
        ...done('validate'),
        data: { step: record(1, { endedAt: atOf(3) }), clock: stopped, output: { summary: 'back' } },
      },
    );
    expect(steps.promote).toMatchObject({ underWay: true });
    expect(actualMs).toBe(60_000);
  });

  test('a run that was taken over before', () => {
    const { steps, entries } = adopted(
      started('restore'),
      { kind: 'adopted', adoption: 1, data: { by: 'ada', number: 1 } },
      { ...started('restore', 2), adoption: 1 },
    );
    expect(entries).toBe(4);
    expect(steps.restore).toMatchObject({ underWay: true, begun: 2 });
  });
});

describe('is not taken over:', () => {
  test('a run that has ended', () => {
    expect(() => adopted({ kind: 'run-ended', text: 'recovered', data: { status: 'recovered' } })).toThrow(
      /ended at .*: recovered/,
    );
  });

  test('a journal with a hole, or without its beginning', () => {
    const entries = journal(started('assess'), done('assess'));
    expect(() => adoptableRun(entries.filter((_, at) => at !== 1))).toThrow(
      'Entry 2 of the journal is not there.',
    );
    expect(() => adoptableRun(entries.slice(1))).toThrow('Entry 1 of the journal is not there.');
    expect(() => adoptableRun([])).toThrow('Entry 1 of the journal is not there.');
  });

  test('a journal from before entries held what a new server has to know', () => {
    expect(() => adopted({ kind: 'step-done', step: 'assess' })).toThrow(
      'Entry 2 (step-done) of run payymo-run does not say what a new server has to know.',
    );
  });

  test('a journal that was altered: in the store, or in the anchors', () => {
    const entries = journal(started('assess'), done('assess'));
    const anchored = { entries, problems: [], signedBy: [], otherKeys: [], covered: [], objects: 1 };
    const altered = entries.map((entry, at) =>
      at === 2 ? { ...entry, body: { ...entry.body, text: 'all is well' } } : entry,
    );
    expect(() => wholeJournal(anchored, altered)).toThrow(/tampered with: Entry 3/);
    expect(() => wholeJournal({ ...anchored, problems: ['The anchor x was altered.'] }, undefined)).toThrow(
      'The journal was tampered with: The anchor x was altered.',
    );
  });
});

describe('one journal of two:', () => {
  const entries = journal(started('assess'), done('assess'), started('restore'));
  const anchors = (some: readonly ChainedEntry[]) => ({
    entries: some,
    problems: [],
    signedBy: [],
    otherKeys: [],
    covered: [],
    objects: 1,
  });

  test('what the store has beyond the anchors counts, and is to be anchored', () => {
    const whole = wholeJournal(anchors(entries.slice(0, 2)), entries);
    expect(whole.entries).toEqual(entries);
    expect(whole.unanchored).toEqual(entries.slice(2));
  });

  test('a store that lags behind, or was made anew, takes nothing away', () => {
    expect(wholeJournal(anchors(entries), entries.slice(0, 2)).entries).toEqual(entries);
    expect(wholeJournal(anchors(entries), []).entries).toEqual(entries);
  });

  test('a hole in both is told', () => {
    const holed = entries.filter((_, at) => at !== 1);
    expect(() => wholeJournal(anchors(holed), undefined)).toThrow('Entry 2 of the journal is not there.');
  });
});
