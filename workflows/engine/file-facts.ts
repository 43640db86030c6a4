/** What approvers are shown of files that are lost. */
import type { FilesLoss } from '../../activities/contract.js';
import { formatBytes, formatCount } from '../../src/model/format.js';
import type { Fact } from '../../src/model/run.js';

const SHOWN = 10;

export function showFilesLoss(loss: FilesLoss): Fact[] {
  const { kind, window, damage, missing } = loss;
  if (damage !== undefined) {
    const { deleted, overwritten, bytes, leftAlone, intact, samples } = damage;
    const until = window.until === undefined ? 'now' : window.until;
    return [
      { label: 'files were good', value: `before ${window.before}; damage until ${until}` },
      ...(window.prefix === undefined ? [] : [{ label: 'only below', value: window.prefix }]),
      {
        label: 'comes back',
        value: `${formatCount(deleted)} deleted and ${formatCount(overwritten)} overwritten files, ${formatBytes(bytes)}`,
      },
      {
        label: 'stays',
        value: `${formatCount(intact)} files that are as they were${leftAlone === 0 ? '' : `, ${formatCount(leftAlone)} that were changed on purpose or are not asked for`}`,
      },
      ...listed(samples, deleted + overwritten),
    ];
  }
  if (missing === undefined) return [{ label: 'files', value: loss.summary }];
  return [
    {
      label: kind === 'bucket-lost' ? 'BUCKET IS LOST' : 'bucket lacks files',
      value: loss.summary,
    },
    {
      label: 'comes back',
      value: `${formatCount(missing.missing)} files of the secondary bucket, ${formatBytes(missing.bytes)}`,
    },
    {
      label: 'does not',
      value: 'what was written after the last copy to the secondary, and all earlier versions',
    },
    ...(missing.differing === 0
      ? []
      : [
          {
            label: 'stays',
            value: `${formatCount(missing.differing)} files that differ from their copies: the bucket in use may have the newer ones`,
          },
        ]),
    ...listed(missing.samples, missing.missing),
  ];
}

function listed(samples: readonly string[], all: number): Fact[] {
  if (samples.length === 0) return [];
  const shown = samples.slice(0, SHOWN);
  const more = all - shown.length;
  return [
    {
      label: 'files',
      value: `${shown.join(', ')}${more > 0 ? ` and ${formatCount(more)} more` : ''}`,
    },
  ];
}
