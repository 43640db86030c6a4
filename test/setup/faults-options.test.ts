import { readFaultOptions } from '../../setup/faults.mjs';

test('all cases run unless told otherwise', () => {
  expect(readFaultOptions([])).toEqual({
    resume: false,
    env: { MUSTER_FAULTS_ONLY: '', MUSTER_FAULTS_PART: '1/1', MUSTER_FAULTS_LANES: '3' },
  });
});

test('words, part, lanes and what to keep reach the harness', () => {
  expect(
    readFaultOptions([
      '--only',
      'kill promote',
      '--part',
      '2/3',
      '--lanes',
      '2',
      '--minutes',
      '8',
      '--resume',
      '--keep',
    ]),
  ).toEqual({
    resume: true,
    env: {
      MUSTER_FAULTS_ONLY: 'kill promote',
      MUSTER_FAULTS_PART: '2/3',
      MUSTER_FAULTS_LANES: '2',
      MUSTER_FAULTS_MINUTES: '8',
      MUSTER_FAULTS_KEEP: '1',
    },
  });
});

test.each([
  [['--part', '3/2'], '--part: given "3/2"'],
  [['--part', '0/2'], '--part: given "0/2"'],
  [['--part', 'half'], '--part: given "half"'],
  [['--lanes', '0'], '--lanes: given "0"'],
  [['--minutes', '0'], '--minutes: given "0"'],
  [['--onyl', 'kill'], '--onyl'],
])('%j is refused with what is allowed, exit code 2', (args, said) => {
  expect(() => readFaultOptions(args)).toThrow(
    expect.objectContaining({ exitCode: 2, message: expect.stringContaining(said) }),
  );
});
