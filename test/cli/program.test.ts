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
