import type { RunView } from '../../src/model/run.js';
import type { Channel, Person } from '../../src/runbook/schema.js';
import type { Compose } from '../../workflows/engine/notice-parts.js';
import {
  decided,
  escalated,
  gateOpened,
  override,
  proofRefused,
  reminder,
  stepFailed,
} from '../../workflows/engine/notices-of-decisions.js';
import { adopted, ended, handedOver, held, resumed, started } from '../../workflows/engine/notices-of-run.js';
import { receiversOf } from '../../workflows/engine/receivers.js';
import { finishedRun, openPoint, troubledRun, waitingRun } from '../support/run-view.js';

const person = (name: string, roles: string[], contacts: string[] = []): Person => ({
  name,
  roles,
  contacts,
});
const people = [
  person('second-lead', ['database-lead'], ['mailto:second@example.com']),
  person('chief', ['incident-commander'], ['tel:1', 'mailto:chief@example.com', 'slack:U42']),
  person('lead', ['database-lead'], ['mailto:lead@example.com']),
  person('auditor', ['audit'], ['mailto:audit@example.com']),
];

const view: RunView = {
  ...waitingRun,
  commander: 'chief',
  openDecisions: [{ ...openPoint, missing: '1 of database-lead' }],
};
const of = (compose: Compose, changed: Partial<RunView> = {}) =>
  compose({ view: { ...view, ...changed }, people });

test('a gate tells those who can decide it, in the order of the contact chain, with the commands', () => {
  const told = of(gateOpened('gate-point'));
  expect(told).toMatchObject({
    kind: 'gate-opened',
    severity: 'critical',
    matter: 'gate.point',
    step: 'gate-point',
    title: 'point waits for database-lead.',
    to: ['second-lead', 'lead'],
  });
  expect(told.text).toContain('Go back to 02:59:39.871 UTC? ');
  expect(told.text).toContain('At 03:19:08 UTC ');
  expect(told.facts).toContainEqual({ label: 'Loses', value: '41 acknowledged payments, 1 min 12 s' });
  expect(told.facts).toContainEqual({ label: 'Missing', value: '1 of database-lead' });
  expect(told.actions.map(({ label }) => label)).toEqual([
    'muster approve payymo point',
    'muster deny payymo point --reason WHY',
    'muster abort payymo --reason WHY',
    'muster watch payymo',
  ]);
});

test('a drill wakes nobody as the real thing does, and its commands say that they are for it', () => {
  const told = of(gateOpened('gate-point'), { mode: 'drill' });
  expect(told.severity).toBe('warning');
  expect(told.actions[0]?.label).toBe('muster approve payymo point --mode drill');
});

test('a reminder says for how long; an escalation tells who may decide now', () => {
  expect(of(reminder('gate-point', 900_000)).title).toBe(
    'point still waits for database-lead, for 15 min now.',
  );
  const more = { ...openPoint, roles: ['database-lead', 'incident-commander'] };
  const told = of(escalated('gate-point'), { openDecisions: [more] });
  expect(told.to).toEqual(['second-lead', 'chief', 'lead']);
  expect(told.title).toContain('database-lead or incident-commander may decide now');
  expect(told.matter).toBe(of(gateOpened('gate-point')).matter);
});

test('a decision settles what the gate opened', () => {
  const told = decided('gate-point')({ view: { ...finishedRun, commander: 'chief' }, people });
  expect(told).toMatchObject({
    severity: 'info',
    settles: ['gate.point'],
    text: 'last good payment matches the processor',
  });
  expect(told.title).toBe('point: approved by on-call database lead.');
});

test('a word that is not enough settles nothing, and asks those who are still missing', () => {
  const told = of(decided('gate-point'));
  expect(told.settles).toEqual([]);
  expect(told.text).toContain('Missing: 1 of database-lead.');
  expect(told.to).toEqual(['second-lead', 'lead']);
  expect(told.actions[0]?.label).toBe('muster approve payymo point');
});

test('a step that failed tells who commands what failed, and what each choice does', () => {
  const open = {
    ...openPoint,
    step: 'restore',
    roles: [],
    facts: [],
    choices: [
      { choice: 'retry' as const, consequence: 'does it once more' },
      { choice: 'skip' as const, consequence: 'goes on without' },
    ],
  };
  const { gate: _gate, ...failed } = open;
  const told = stepFailed('restore')({
    view: { ...troubledRun, status: 'running', commander: 'lead', openDecisions: [failed] },
    people,
  });
  expect(told).toMatchObject({
    kind: 'step-failed',
    severity: 'critical',
    matter: 'step.restore',
    to: ['chief', 'lead'],
  });
  expect(told.text).toContain('does not have the checksum');
  expect(told.text).toContain('Retry from repository 2');
  expect(told.actions.map(({ label }) => label)).toEqual([
    'muster retry payymo restore',
    'muster skip payymo restore --reason WHY',
    'muster watch payymo',
  ]);
});

test('an override is told to everybody', () => {
  const overrides = [
    {
      on: 'promote',
      by: ['chief'],
      reason: 'nobody else answers',
      at: view.asOf,
      without: '1 of database-lead',
    },
  ];
  const told = of(override(), { overrides });
  expect(told.to).toEqual(['second-lead', 'chief', 'lead', 'auditor']);
  expect(told).toMatchObject({
    severity: 'critical',
    text: 'nobody else answers',
    title: 'promote was overridden by chief.',
  });
  expect(told.facts[0]?.value).toBe('1 of database-lead');
});

test('a refused proof is told to whose name was used, and to who commands', () => {
  const told = of(
    proofRefused({
      on: 'point',
      choice: 'approve',
      by: 'lead',
      why: 'The code was used before.',
      from: '10.0.0.7',
    }),
  );
  expect(told.to).toEqual(['lead', 'chief']);
  expect(told.text).toContain('The code was used before.');
  expect(told.facts).toEqual([{ label: 'From', value: '10.0.0.7' }]);
  expect(of(proofRefused({ on: 'point', choice: 'approve', by: 'stranger', why: 'x' })).to).toEqual([
    'chief',
  ]);
});

test('hold and resume are one matter', () => {
  const hold = { by: 'lead', reason: 'look at the processor first', since: view.asOf };
  expect(of(held(), { hold })).toMatchObject({ matter: 'hold', title: 'The run is held by lead.' });
  expect(of(held(), { hold }).actions[0]?.label).toBe('muster resume payymo');
  expect(of(resumed('chief'))).toMatchObject({ settles: ['hold'], severity: 'info' });
});

test('start, hand-over, adoption and end say who commands and how it stands', () => {
  expect(of(started())).toMatchObject({ kind: 'started', to: ['second-lead', 'chief', 'lead'] });
  expect(of(handedOver('lead'))).toMatchObject({ title: 'chief commands now.', to: ['chief', 'lead'] });
  expect(of(adopted(), { adopted: { by: 'lead', at: view.asOf } }).title).toContain('adopted by lead');
  const good = ended()({ view: { ...finishedRun, overrides: [] }, people });
  expect(good).toMatchObject({ severity: 'info', title: 'corruption recovery: recovered.' });
  expect(good.text).toContain('RTO of 6 h met');
  expect(good.settles).toEqual(expect.arrayContaining(['run', 'time', 'gate.point', 'gate.promote']));
  const bad = ended()({ view: { ...troubledRun, overrides: [] }, people });
  expect(bad).toMatchObject({ severity: 'critical', matter: 'end' });
  expect(bad.settles).toContain('step.restore');
  expect(bad.text).toContain('not back by this run');
});

describe('receivers', () => {
  const smtp: Channel = {
    driver: 'smtp',
    host: 'mail',
    port: 25,
    security: 'none',
    from: 'm@example.com',
    to: ['ops@example.com', 'lead@example.com'],
  };
  const slack: Channel = { driver: 'slack', url: 'env:URL', events: ['gate-opened'] };
  const names = (kind: 'gate-opened' | 'ended', to: string[]) =>
    receiversOf({ people, notifications: { mail: smtp, chat: slack } }, kind, to).map(({ name }) => name);

  test('mail goes to each address on its own, once', () => {
    expect(names('gate-opened', ['chief', 'lead'])).toEqual([
      'mail to ops@example.com',
      'mail to lead@example.com',
      'mail to chief@example.com',
      'chat',
    ]);
  });

  test('a channel only gets the kinds that it asks for', () => {
    expect(names('ended', [])).toEqual(['mail to ops@example.com', 'mail to lead@example.com']);
  });

  test('chat mentions those whom it is for', () => {
    const all = receiversOf({ people, notifications: { chat: slack } }, 'gate-opened', ['chief', 'lead']);
    expect(all).toEqual([{ name: 'chat', channel: slack, contacts: ['slack:U42'] }]);
  });
});
