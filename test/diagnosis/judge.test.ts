/** What may have happened, from what was seen: combinations of symptoms for every kind of disaster. */
import { DISASTERS, judge } from '../../src/diagnosis/judge.js';
import type { Symptoms } from '../../src/diagnosis/symptoms.js';

const NOW = Date.parse('2026-03-01T03:00:00Z');

const SOUND: Symptoms = {
  primary: {
    ...{ site: 'west', home: 'west', region: 'us-west-2', failureDomain: 'us-west-2/a', state: 'writes' },
    ...{ broken: [], unasked: [], strangers: [] },
  },
  standbys: [{ site: 'standby', failureDomain: 'us-west-2/c', state: 'streams', lagMs: 200 }],
  copies: [
    { title: 'west', failureDomain: 'us-west-2', state: 'usable', newest: '2026-03-01T02:59:00Z' },
    { title: 'east', failureDomain: 'us-east-1', state: 'usable', newest: '2026-03-01T02:58:00Z' },
  ],
  buckets: [
    {
      ...{ store: 'files', which: 'primary', failureDomain: 'us-west-2', state: 'there' },
      versioned: true,
      missing: 0,
    },
    {
      ...{ store: 'files', which: 'secondary', failureDomain: 'us-east-1', state: 'there' },
      versioned: true,
      missing: 0,
    },
  ],
  records: [{ record: 'ledger', state: 'leads', site: 'west' }],
  applications: [{ name: 'core-api', health: 'healthy', failing: [] }],
  vault: 'answers',
};

interface Change {
  readonly primary?: Partial<Symptoms['primary']>;
  readonly standbys?: Partial<Symptoms['standbys'][number]>;
  readonly copies?: Partial<Symptoms['copies'][number]>;
  /** Of the first copy, the one in the primary's region. */
  readonly west?: Partial<Symptoms['copies'][number]>;
  readonly bucket?: Partial<Symptoms['buckets'][number]>;
  readonly records?: Partial<Symptoms['records'][number]>;
  readonly applications?: Partial<Symptoms['applications'][number]>;
  readonly rest?: Partial<Symptoms>;
}

function seen(change: Change): Symptoms {
  return {
    ...SOUND,
    primary: { ...SOUND.primary, ...change.primary },
    standbys: SOUND.standbys.map((one) => ({ ...one, ...change.standbys })),
    copies: SOUND.copies.map((one, at) => ({ ...one, ...change.copies, ...(at === 0 ? change.west : {}) })),
    buckets: SOUND.buckets.map((one, at) => (at === 0 ? { ...one, ...change.bucket } : one)),
    records: SOUND.records.map((one) => ({ ...one, ...change.records })),
    applications: SOUND.applications.map((one) => ({ ...one, ...change.applications })),
    ...change.rest,
  };
}

const SILENT = { state: 'silent' } as const;
const GONE: Change = { primary: SILENT, applications: { health: 'silent' } };
/** Nothing in the primary's region answers. */
const REGION: Change = { ...GONE, standbys: SILENT, west: SILENT, bucket: SILENT };
const AT_PROVIDER = { failureDomain: 'hoster/lon/1', region: 'lon' };

const CASES: readonly [string, Change, readonly string[]][] = [
  ['nothing', {}, []],
  ['rows break a rule', { primary: { broken: ['balances'] } }, ['corruption likely']],
  [
    'rows break a rule and no copy can be used',
    { primary: { broken: ['balances'] }, copies: { state: 'unreadable' } },
    ['backupLoss likely'],
  ],
  [
    'the primary is gone, its standby hears nothing',
    { ...GONE, standbys: { state: 'waits', lagMs: 4_000 } },
    ['azLoss likely', 'infrastructureFailure possible'],
  ],
  ['only we do not reach the primary', GONE, ['azLoss possible', 'infrastructureFailure possible']],
  [
    'the primary is gone and its standby too',
    { ...GONE, standbys: SILENT },
    ['infrastructureFailure likely'],
  ],
  [
    'the primary is gone, its standby was promoted by somebody',
    { ...GONE, standbys: { state: 'promoted' } },
    ['infrastructureFailure likely'],
  ],
  [
    'primary and standby are gone, the archive has a gap',
    { ...GONE, standbys: SILENT, copies: { state: 'gap' } },
    ['infrastructureFailure likely'],
  ],
  ['nothing in the region answers', REGION, ['regionalLoss likely']],
  ['nobody can be looked at from here', { primary: { state: 'unseen' }, copies: { state: 'unseen' } }, []],
  [
    'the primary is gone, the backups cannot be looked at from here',
    { ...GONE, standbys: SILENT, copies: { state: 'unseen' } },
    [],
  ],
  [
    'nothing in the region answers, nor anything else',
    { ...REGION, copies: SILENT },
    ['backupLoss likely', 'regionalLoss possible'],
  ],
  [
    'nothing at the provider answers',
    {
      ...GONE,
      primary: { ...SILENT, ...AT_PROVIDER },
      standbys: { ...SILENT, failureDomain: 'hoster/par/1' },
    },
    ['infrastructureFailure likely', 'providerOutage possible'],
  ],
  [
    'nothing at the provider answers, in its region nor elsewhere',
    {
      ...GONE,
      primary: { ...SILENT, ...AT_PROVIDER },
      standbys: { ...SILENT, failureDomain: 'hoster/lon/2' },
    },
    ['providerOutage likely', 'regionalLoss likely'],
  ],
  [
    'nothing at the provider answers, a standby elsewhere does',
    {
      ...GONE,
      primary: { ...SILENT, ...AT_PROVIDER },
      standbys: { state: 'waits', failureDomain: 'other/lon' },
      bucket: { ...SILENT, failureDomain: 'hoster/lon/files' },
    },
    ['azLoss likely', 'infrastructureFailure possible', 'providerOutage possible'],
  ],
  [
    'nothing at the provider answers, in its region nor elsewhere; a standby with another one does',
    {
      ...REGION,
      primary: { ...SILENT, ...AT_PROVIDER },
      standbys: { state: 'waits', failureDomain: 'other/fra' },
      west: { ...SILENT, failureDomain: 'hoster/lon/store' },
      bucket: { ...SILENT, failureDomain: 'hoster/lon/files' },
    },
    ['providerOutage likely', 'regionalLoss likely', 'azLoss possible'],
  ],
  ['the bucket is gone', { bucket: { state: 'gone' } }, ['objectLoss likely']],
  ['files that rows name are missing', { bucket: { missing: 3 } }, ['objectLoss likely']],
  ['the bucket does not answer', { bucket: SILENT }, []],
  ['the application fails', { applications: { failing: ['balance'] } }, ['badDeployment likely']],
  ['the application is not healthy', { applications: { health: 'unhealthy' } }, ['badDeployment likely']],
  ['the application does not answer', { applications: { health: 'silent' } }, ['badDeployment possible']],
  [
    'the application fails because the data is wrong',
    { applications: { failing: ['balance'] }, primary: { broken: ['balances'] } },
    ['corruption likely'],
  ],
  [
    'the application fails because the name leads elsewhere',
    { applications: { health: 'unhealthy' }, records: { site: 'recovery' } },
    [],
  ],
  ['an unknown superuser', { primary: { strangers: ['maintenance'] } }, ['breach likely']],
  [
    'an unknown superuser, and data that is wrong',
    { primary: { strangers: ['maintenance'], broken: ['balances'] } },
    ['corruption likely', 'breach likely'],
  ],
  ["the primary refuses Muster's login", { primary: { state: 'denied' } }, ['breach possible']],
  ['no backup can be used, the primary is sound', { copies: { state: 'unreadable' } }, []],
  [
    'the primary is gone, so are all backups, a standby is there',
    { ...GONE, standbys: { state: 'waits' }, copies: { state: 'empty' } },
    ['azLoss likely', 'backupLoss possible'],
  ],
  [
    'it runs away from home since a recovery',
    { primary: { site: 'recovery' }, records: { site: 'recovery' } },
    ['failback possible'],
  ],
  [
    'it runs away from home, and data is wrong there',
    { primary: { site: 'recovery', broken: ['balances'] }, records: { site: 'recovery' } },
    ['corruption likely'],
  ],
  [
    'a recovery is under way',
    { ...GONE, rest: { underWay: { runId: 'payymo-corruption-1', at: '2026-03-01T02:50:00Z' } } },
    [],
  ],
];

it.each(CASES)('%s', (_title, change, expected) => {
  const { suspicions } = judge(seen(change), NOW);
  expect(suspicions.map(({ scenario, certainty }) => `${scenario} ${certainty}`)).toEqual(expected);
  for (const { because, loses } of suspicions)
    expect(Math.min(because.length, loses.length)).toBeGreaterThan(5);
});

it('knows a combination for every kind of disaster', () => {
  const found = new Set(CASES.flatMap(([, , expected]) => expected.map((one) => one.split(' ')[0])));
  expect([...DISASTERS].filter((name) => !found.has(name))).toEqual([]);
});

it('tells deleted files, of which somebody must say since when, from a lost bucket', () => {
  const needs = (change: Change) => judge(seen(change), NOW).suspicions.map((one) => one.needs);
  expect(needs({ bucket: { missing: 3 } })).toEqual(['before']);
  expect(needs({ bucket: { state: 'gone' } })).toEqual([undefined]);
});

it('says what is lost: since the newest commit of the copies that answer', () => {
  const [first] = judge(seen({ ...GONE, standbys: SILENT, west: SILENT }), NOW).suspicions;
  expect(first?.loses).toBe('what was written since 2026-03-01T02:58:00.000Z, 2 min before this look');
});

it.each<[string, Change, RegExp]>([
  ['the primary is silent', GONE, /only the way from here/],
  ['data is wrong', { primary: { broken: ['balances'] } }, /since when the data is wrong/],
  ['invariants were too slow', { primary: { unasked: ['signatures'] } }, /hold, .*signatures/],
  ['copies cannot be looked at', { copies: { state: 'unseen' } }, /anything about 2 of what was looked at/],
  ['the vault is silent', { rest: { vault: 'silent' } }, /without it nothing is fenced/],
  ['resolvers disagree', { records: { state: 'disagree' } }, /why the name does not lead/],
  ['a recovery is under way', { rest: { underWay: { runId: 'r1', at: 'then' } } }, /Run r1 has fenced/],
])('says what it cannot tell where %s', (_title, change, said) => {
  expect(judge(seen(change), NOW).cannotTell.join('\n')).toMatch(said);
});
