import type { LossReport } from '../../activities/contract.js';
import { buildReport, planSha256 } from '../../src/evidence/build.js';
import { verdictOf } from '../../src/evidence/html/verdict.js';
import { payymoPlan } from '../support/payymo-plan.js';
import { abortedReport, finishedReport, longReport } from '../support/reports.js';
import { finishedOutputs } from '../support/run-outputs.js';
import { finishedRun } from '../support/run-view.js';

const inputs = {
  plan: payymoPlan,
  view: finishedRun,
  outputs: finishedOutputs,
  lost: [],
  publicKeySha256: 'a',
};

describe('a report', () => {
  test('holds each objective against what was measured: run, components, data classes', () => {
    expect(finishedReport.rto).toEqual([
      { of: 'run', name: 'database', targetMs: 21_600_000, actualMs: 360_600, met: true },
      { of: 'component', name: 'core-api', targetMs: 14_400_000, actualMs: 360_600, met: true },
      { of: 'component', name: 'database', targetMs: 21_600_000, actualMs: 360_600, met: true },
      { of: 'component', name: 'web-interface', targetMs: 28_800_000, actualMs: 360_600, met: true },
    ]);
    expect(finishedReport.rpo[0]).toMatchObject({
      dataClass: 'transactions',
      targetMs: 300_000,
      actualMs: 72_000,
      lostRecords: 41,
      met: true,
    });
    expect(longReport.rto.map(({ name, met }) => `${name} ${met}`)).toEqual([
      'database false',
      'core-api false',
      'database false',
      'web-interface true',
    ]);
    expect(longReport.rpo.map(({ met }) => met)).toEqual([false]);
  });

  test('has each check with rung, tool, version and duration, in the order of the ladder', () => {
    expect(finishedReport.verification.map(({ rung }) => rung)).toEqual([1, 1, 2, 3, 4, 5, 6, 7, 7, 8, 8]);
    expect(finishedReport.verification[5]).toMatchObject({
      step: 'verify-structure',
      tool: 'pg_amcheck',
      toolVersion: '15.15',
      durationMs: 34_100,
      passed: true,
    });
  });

  test('has who decided what, when, and what they saw', () => {
    expect(finishedReport.approvals).toHaveLength(2);
    expect(finishedReport.approvals[0]).toMatchObject({
      step: 'gate-point',
      roles: ['database-lead'],
      choice: 'approve',
      by: 'on-call database lead',
      at: '2026-11-21T03:06:31.200Z',
      channel: 'update',
    });
    expect(finishedReport.approvals[0]?.saw).toContainEqual({
      label: 'Loses',
      value: '41 acknowledged payments, 1 min 12 s',
    });
    expect(abortedReport.participants).toContainEqual({
      name: 'on-call database lead',
      part: ['denied gate-point', 'approved gate-point'],
    });
  });

  test('finds the steps that decided the time by what happened', () => {
    expect(finishedReport.criticalPath).toEqual([
      'assess',
      'propose-point',
      'provision-target',
      'restore',
      'verify-files',
      'verify-point',
      'verify-structure',
      'gate-promote',
      'promote',
      'cutover',
      'validate',
    ]);
  });

  test('names every deviation of a run that went badly, and none of one that went well', () => {
    expect(finishedReport.deviations).toEqual([]);
    const named = abortedReport.deviations.map(({ kind, step }) => `${kind} ${step ?? ''}`.trim());
    for (const deviation of [
      'denied gate-point',
      'changed gate-point',
      'repeated restore',
      'failed restore',
      'over-budget restore',
      'undone fence-primary',
      'skipped preserve-damaged',
      'not-reached promote',
      'warning',
    ]) {
      expect(named).toContain(deviation);
    }
  });

  test('never takes what was not measured for nothing lost', () => {
    const loss = finishedOutputs['measure-loss'] as LossReport;
    const method = 'not measured: the fenced primary could not be counted';
    const unmeasured = { targetMs: 1, actualMs: null, lostRecords: null, method, sample: [] };
    const outputs = {
      ...finishedOutputs,
      'measure-loss': { ...loss, classes: { ...loss.classes, 'user-accounts': unmeasured } },
    };
    const report = buildReport({ ...inputs, outputs });
    expect(report.rpo[1]).toEqual({ dataClass: 'user-accounts', targetMs: 1, met: false, method });
    expect(verdictOf(report).sentence).toContain('What user-accounts lost is not known.');
    expect(report.findings.map(({ text }) => text).join()).toContain('What user-accounts lost is not known');
  });

  test('tells of a copy that is not sound, although the recovery did not need it', () => {
    const text = 'repository 2 (east): invalid checksum 20261121-013000F/bundle/1';
    const copies = { checks: [], unsound: [text], summary: `NOT SOUND: ${text}` };
    const report = buildReport({ ...inputs, outputs: { ...finishedOutputs, 'verify-other-copies': copies } });
    expect(report.findings).toContainEqual(expect.objectContaining({ text: `A copy is not sound: ${text}` }));
  });

  test('says when another plan ran than the one that was asked for', () => {
    const other = buildReport({ ...inputs, view: { ...finishedRun, planHash: 'f'.repeat(64) } });
    expect(other.deviations).toEqual([expect.objectContaining({ kind: 'plan' })]);
    expect(planSha256(payymoPlan)).toBe(finishedRun.planHash);
  });

  test('lists lost records from the store; without it the sample, and says that it is not complete', () => {
    expect(finishedReport.lost[0]).toMatchObject({ dataClass: 'transactions', records: 41, complete: true });
    expect(finishedReport.lost[0]?.listed).toHaveLength(41);
    const withoutStore = buildReport(inputs);
    expect(withoutStore.lost[0]).toMatchObject({ dataClass: 'transactions', records: 41, complete: false });
    expect(withoutStore.lost[0]?.listed).toHaveLength(20);
    expect(withoutStore.journal).toBeUndefined();
  });

  test('never counts less than was measured when the store has only a part', () => {
    const part = [{ dataClass: 'transactions', records: 1, complete: true, listed: [{ id: 'one' }] }];
    expect(buildReport({ ...inputs, lost: part }).lost[0]).toMatchObject({ records: 41, complete: false });
  });

  test('leaves work to roles: the lost payments, the quarantined copy, the TTL, the next test', () => {
    const tasks = finishedReport.nextSteps.map(({ text, owner }) => `${owner}: ${text}`).join('\n');
    expect(tasks).toMatch(/owner of transactions: Answer for the 41 lost records of transactions/);
    expect(tasks).toMatch(/database-lead: Investigate the damaged copy in \/srv\/quarantine/);
    expect(tasks).toMatch(/Set the TTL of db\.payymo\.test back from 5 s to 60 s/);
    expect(tasks).toMatch(/Set the date of the next test of corruption for payymo/);
    expect(abortedReport.nextSteps[0]?.text).toMatch(/not recovered/);
  });

  test('is the same, byte for byte, for the same run', () => {
    expect(JSON.stringify(buildReport(inputs))).toBe(JSON.stringify(buildReport(structuredClone(inputs))));
  });
});
