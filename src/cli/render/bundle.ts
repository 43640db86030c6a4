/** What `muster bundle` says. */
import type { BundleVerdict, OpenedBundle, WrittenBundle } from '../bundling.js';
import type { Colors } from '../output.js';

export function renderWritten(written: WrittenBundle, colors: Colors): string {
  const { file, bytes, fingerprint, plans, secrets, muster } = written;
  return [
    `${colors.bold(file)}  ${Math.ceil(bytes / 1024)} KB, signed with key ${fingerprint}`,
    `plans        ${plans.map(({ scenario }) => scenario).join(', ')}`,
    `secrets      ${secrets.length} by name, none of them inside`,
    ...(muster.source === null
      ? [colors.yellow('It does not say where Muster is had from: --source "where" or MUSTER_SOURCE.')]
      : []),
    'Put it where a disaster of this system does not reach, with the fingerprint somewhere else, and write a new one after',
    'each change of the runbook or of Muster.',
  ].join('\n');
}

export function renderVerdict(
  { ok, file, bundle, problems, cautions, fingerprint }: BundleVerdict,
  colors: Colors,
): string {
  const what =
    bundle === null
      ? file
      : `${file}: ${bundle.system}, written ${bundle.writtenAt} by Muster ${bundle.muster.version}`;
  return [
    ok ? `${colors.green('as it was signed')}  ${what}` : `${colors.red('not what was signed')}  ${what}`,
    ...problems.map((problem) => `  ${problem}`),
    ...(fingerprint === '' ? [] : [`key ${fingerprint}`]),
    ...cautions.map((caution) => colors.yellow(caution)),
  ].join('\n');
}

export function renderOpened({ folder, bundle, toFill, cautions }: OpenedBundle, colors: Colors): string {
  return [
    `${colors.bold(bundle.system)} is in ${folder}; read README.md there first.`,
    ...cautions.map((caution) => colors.yellow(caution)),
    ...(toFill.length === 0
      ? ['Every secret and file that the runbook names is here.']
      : [
          colors.bold('To be filled before a recovery, from your safe:'),
          ...toFill.map(({ reference, fields }) => `  ${reference}  (${fields[0]})`),
        ]),
    `Then: MUSTER_RUNBOOKS=${folder}/runbooks muster serve`,
  ].join('\n');
}
