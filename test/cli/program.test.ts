import { runMuster } from './run-muster.js';

describe('the command line', () => {
  test('help names the commands, the exit codes and examples', async () => {
    const { code, stdout } = await runMuster(['--help']);
    expect(code).toBe(0);
    expect(stdout).toContain('schema');
    expect(stdout).toContain('Exit codes: 0 done');
    expect(stdout).toContain('Examples:');
  });

  test('without a command the help is shown and nothing was done', async () => {
    const { code, stdout, stderr } = await runMuster([]);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toContain('Usage: muster');
  });

  test('an unknown command is bad input with a suggestion', async () => {
    const { code, stdout, stderr } = await runMuster(['shema']);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toContain("Unknown command 'shema'");
    expect(stderr).toContain('Did you mean schema?');
  });

  test('an unknown option names the command and its help', async () => {
    const { code, stderr } = await runMuster(['schema', '--jso']);
    expect(code).toBe(2);
    expect(stderr).toContain('muster schema');
    expect(stderr).toContain('given:   --jso');
    expect(stderr).toContain('Did you mean --json?');
    expect(stderr).toContain('See muster schema --help.');
  });

  test('an argument that is missing is named with what it is for', async () => {
    const { code, stderr } = await runMuster(['plan']);
    expect(code).toBe(2);
    expect(stderr).toContain(
      '<scenario>\n  given:   nothing\n  allowed: a kind of disaster, such as corruption',
    );
  });

  test('help fits 80 columns', async () => {
    for (const args of [['--help'], ['plan', '--help'], ['lab', 'up', '--help']]) {
      const { stdout } = await runMuster(args);
      expect(stdout.split('\n').filter((line) => line.length > 80)).toEqual([]);
    }
  });

  test('with --json an error is one object on standard output', async () => {
    const { code, stdout } = await runMuster(['schema', '--json', 'superfluous']);
    expect(code).toBe(2);
    expect(stdout.trim().split('\n')).toHaveLength(1);
    expect(JSON.parse(stdout)).toMatchObject({
      error: { code: 'BadInput', next: 'See muster schema --help.' },
    });
  });

  test('every command explains itself with examples', async () => {
    const { stdout } = await runMuster(['--help']);
    const names = [...stdout.matchAll(/^ {2}([a-z]+)(?: .*)?$/gm)]
      .map(([, name]) => name as string)
      .filter((name) => !['muster', 'help'].includes(name));
    expect(names.length).toBeGreaterThan(0);
    for (const name of names) {
      const help = await runMuster([name, '--help']);
      expect(help.code).toBe(0);
      expect(help.stdout).toContain('Examples:');
    }
  });
});
