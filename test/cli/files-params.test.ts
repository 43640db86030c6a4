import { filesParams, refuseFilesOptions } from '../../src/cli/files-params.js';

const now = Date.parse('2026-03-01T12:00:00Z');
const detectedAt = '2026-03-01T11:59:00.000Z';
const paramsOf = (options: Parameters<typeof filesParams>[0]) => filesParams(options, detectedAt, now);

test('what is said of lost files is what the run is told', () => {
  expect(paramsOf({})).toEqual({ damage: 'changed' });
  expect(
    paramsOf({ before: '11:00', until: '11:05', prefix: 'statements/', deletedOnly: true }),
  ).toMatchObject({
    before: expect.stringMatching(/^2026-03-01T11:00:00/),
    until: expect.stringMatching(/^2026-03-01T11:05:00/),
    prefix: 'statements/',
    damage: 'deleted',
  });
});

test.each([
  ['--until', { until: '11:05' }],
  ['--prefix', { prefix: 'a/' }],
  ['--deleted-only', { deletedOnly: true }],
  ['--until', { before: '11:05', until: '11:00' }],
  ['--before', { before: '11:59:30' }],
])('%s is refused in %j', (field, options) => {
  expect(() => paramsOf(options)).toThrow(
    expect.objectContaining({ problems: [expect.objectContaining({ field })] }),
  );
});

test('a scenario that recovers no files takes none of it', () => {
  expect(() => refuseFilesOptions('azLoss', { prefix: 'a/' })).toThrow(
    expect.objectContaining({ problems: [expect.objectContaining({ field: '--prefix' })] }),
  );
  expect(() => refuseFilesOptions('azLoss', { before: '11:00' })).not.toThrow();
});
