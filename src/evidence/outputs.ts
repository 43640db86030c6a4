/**
 * Finds in the outputs of a run what a report speaks of. Outputs are recognised by their shape, not by the name of their
 * step: every scenario is reported on without a line of its own.
 */
import type {
  Assessment,
  CopiesResult,
  CredentialsRotated,
  EvidenceSecured,
  IntrusionSigns,
  LossReport,
  OldCredentialsDead,
  Quarantine,
  RecordChange,
  RecoveryPoint,
  RungCheck,
} from '../../activities/contract.js';

export type Outputs = Readonly<Record<string, unknown>>;

/** One output with the step that it came from. */
export interface Found<T> {
  readonly step: string;
  readonly output: T;
}

export function checksOf(outputs: Outputs): Found<readonly RungCheck[]>[] {
  return find(outputs, isChecked).map(({ step, output }) => ({ step, output: output.checks }));
}

export function lossesOf(outputs: Outputs): Found<LossReport>[] {
  return find(outputs, (value): value is LossReport => isObject(value) && isObject(value.classes));
}

export function pointsOf(outputs: Outputs): Found<RecoveryPoint>[] {
  return find(
    outputs,
    (value): value is RecoveryPoint =>
      isObject(value) &&
      typeof value.time === 'string' &&
      typeof value.asked === 'string' &&
      isObject(value.backup),
  );
}

export function assessmentsOf(outputs: Outputs): Found<Assessment>[] {
  return find(
    outputs,
    (value): value is Assessment =>
      isObject(value) && Array.isArray(value.invariants) && Array.isArray(value.disabledTriggers),
  );
}

export function copiesOf(outputs: Outputs): Found<CopiesResult>[] {
  return find(outputs, (value): value is CopiesResult => isChecked(value) && 'unsound' in value);
}

export function quarantinesOf(outputs: Outputs): Found<Quarantine>[] {
  return find(
    outputs,
    (value): value is Quarantine =>
      isObject(value) && typeof value.directory === 'string' && typeof value.manifest === 'string',
  );
}

export function recordChangesOf(outputs: Outputs): Found<RecordChange>[] {
  return find(
    outputs,
    (value): value is RecordChange =>
      isObject(value) && typeof value.record === 'string' && typeof value.ttlAfter === 'number',
  );
}

export function signsOf(outputs: Outputs): Found<IntrusionSigns>[] {
  return find(outputs, (value): value is IntrusionSigns => isObject(value) && Array.isArray(value.signs));
}

export function evidenceOf(outputs: Outputs): Found<EvidenceSecured>[] {
  return find(
    outputs,
    (value): value is EvidenceSecured => isObject(value) && typeof value.custodySha256 === 'string',
  );
}

export function rotationsOf(outputs: Outputs): Found<CredentialsRotated>[] {
  return find(
    outputs,
    (value): value is CredentialsRotated =>
      isObject(value) && Array.isArray(value.logins) && Array.isArray(value.withoutPassword),
  );
}

export function provenDeadOf(outputs: Outputs): Found<OldCredentialsDead>[] {
  return find(
    outputs,
    (value): value is OldCredentialsDead =>
      isObject(value) && Array.isArray(value.refused) && Array.isArray(value.unproven),
  );
}

function isChecked(value: unknown): value is { readonly checks: readonly RungCheck[] } {
  return (
    isObject(value) &&
    Array.isArray(value.checks) &&
    value.checks.every(
      (check) => isObject(check) && typeof check.passed === 'boolean' && typeof check.tool === 'string',
    )
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}

function find<T>(outputs: Outputs, is: (value: unknown) => value is T): Found<T>[] {
  return Object.entries(outputs).flatMap(([step, output]) => (is(output) ? [{ step, output }] : []));
}
