import { readdir } from "node:fs/promises";
import { Command } from "commander";
import { packageVersion } from "./package.js";

/** A file of commands/: puts one command on the program. */
interface CommandFile {
  register(program: Command): void;
}

/**
 * The program with the commands that `argv` can mean. A command is a file of commands/ named by its words, joined by `-`
 * (`embed.ts`, `models-list.ts`), that exports `register(program)`; nothing else lists it. Only files whose first word
 * is the command's are loaded, so that `--help` of one command does not pay for the others.
 */
export async function buildProgram(argv: readonly string[]): Promise<Command> {
  const program = new Command("sensebind");
  program
    .description("One embedding space for every sensor on the board: readings become events in plain words over MQTT.")
    .version(await packageVersion())
    .option("--verbose", "print stack traces and debugging logs")
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({ outputError: () => {} });
  for (const file of await commandFiles(argv)) {
    const command = (await import(`./commands/${file}`)) as CommandFile;
    command.register(program);
  }
  return program;
}

/** The command of a group such as `models`; made by the first of its files that asks. */
export function group(program: Command, name: string, description: string): Command {
  return program.commands.find((command) => command.name() === name) ?? program.command(name).description(description);
}

async function commandFiles(argv: readonly string[]): Promise<string[]> {
  const all = (await readdir(new URL("./commands/", import.meta.url))).filter((file) => /^[a-z-]+\.[jt]s$/.test(file));
  const word = argv.find((argument) => !argument.startsWith("-"));
  const named = all.filter((file) => file.split(/[.-]/)[0] === word);
  return (named.length > 0 ? named : all).sort();
}
