/** The command line as a whole: global options, the commands, and what each ending means. */
import { type Argument, Command, CommanderError } from 'commander';
import { InputError, RefusedError } from '../errors.js';
import { commands } from './commands/index.js';
import { CliContext, type CliWorld, type ExitCode, exitCodes, type GlobalOptions } from './context.js';

/**
 * Runs the program to its end; never throws and never exits the process.
 *
 * @param args what stands after the program's name
 * @returns the exit code: 0 done, 1 failed, 2 bad input, 3 waits for a person
 */
export async function runCli(args: readonly string[], world: CliWorld): Promise<ExitCode> {
  const program = new Command('muster');
  // Read from the arguments too: a command line that cannot be parsed is answered in the form it asked for.
  const context = new CliContext(world, () => ({
    ...program.opts<GlobalOptions>(),
    ...(args.includes('--json') ? { json: true } : {}),
  }));
  configure(program, world);
  for (const register of commands) register(program, context);
  try {
    await program.parseAsync([...args], { from: 'user' });
    return context.exitCode;
  } catch (thrown) {
    if (thrown instanceof CommanderError) {
      if (thrown.code === 'commander.helpDisplayed' || thrown.code === 'commander.version')
        return exitCodes.done;
      if (thrown.code === 'commander.help') return args[0] === 'help' ? exitCodes.done : exitCodes.badInput;
      context.out.error(usageError(thrown, args, program));
      return exitCodes.badInput;
    }
    context.out.error(thrown);
    const refused = thrown instanceof InputError || thrown instanceof RefusedError;
    return refused ? exitCodes.badInput : exitCodes.failed;
  }
}

function configure(program: Command, world: CliWorld): void {
  const { stdout, stderr } = world.streams;
  program
    .description('Disaster recovery as durable runbooks: fence, restore, verify, promote, cut over.')
    .option('--json', 'one JSON object on standard output, for scripts')
    .option('--no-color', 'without colour (NO_COLOR does the same)')
    .option(
      '--runbooks <folder>',
      'where the runbooks are (default: MUSTER_RUNBOOKS, else the lab that is up, else ./runbooks)',
    )
    .version(world.version, '-V, --version', 'the version of Muster')
    .helpOption('-h, --help', 'help, with examples')
    .helpCommand('help [command]', 'help for a command')
    .configureHelp({
      showGlobalOptions: true,
      minWidthToWrap: 20,
      subcommandTerm: (command) =>
        [command.name(), ...command.registeredArguments.map(humanReadable)].join(' '),
    })
    .showSuggestionAfterError(true)
    .configureOutput({
      writeOut: (text) => stdout.write(text),
      writeErr: (text) => stderr.write(text),
      outputError: () => undefined,
      getOutHelpWidth: () => Math.min(stdout.columns ?? 80, 100),
      getErrHelpWidth: () => Math.min(stderr.columns ?? 80, 100),
    })
    .exitOverride()
    .addHelpText(
      'after',
      `
Exit codes: 0 done, 1 failed, 2 bad input (nothing has started), 3 a run waits
for a person.

Examples:
  muster check                        are all runbooks in order?
  muster plan corruption payymo       what would be done, and how long it takes
  muster help plan                    a command's options, with examples`,
    );
}

function humanReadable(argument: Argument): string {
  const name = `${argument.name()}${argument.variadic ? '...' : ''}`;
  return argument.required ? `<${name}>` : `[${name}]`;
}

/** Commander's complaint about the command line, as bad input like any other. */
function usageError(thrown: CommanderError, args: readonly string[], program: Command): InputError {
  const [first = '', ...suggestions] = thrown.message.replace(/^error: /, '').split('\n');
  const command = program.commands.find((each) => each.name() === args.find((arg) => !arg.startsWith('-')));
  const suggestion = suggestions.join(' ').replace(/^\(|\)$/g, '');
  const help = command === undefined ? 'muster --help' : `muster ${command.name()} --help`;
  const named = /'([^']+)'/.exec(first)?.[1];
  const missing = command?.registeredArguments.find((argument) => argument.name() === named);
  const problem =
    thrown.code === 'commander.missingArgument' && missing !== undefined
      ? { field: humanReadable(missing), given: 'nothing', allowed: missing.description }
      : {
          field: command === undefined ? 'muster' : `muster ${command.name()}`,
          given: named ?? args.join(' '),
          allowed: suggestion === '' ? `what ${help} lists` : suggestion,
        };
  const message = `${first.charAt(0).toUpperCase()}${first.slice(1)}.`;
  return new InputError(message, [problem], { next: `See ${help}.` });
}
