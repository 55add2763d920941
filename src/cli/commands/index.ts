import type { Command } from '../command.ts';
import { buildCommand } from './build.ts';
import { cancelCommand } from './cancel.ts';
import { checkCommand } from './check.ts';
import { devCommand } from './dev.ts';
import { explainCommand } from './explain.ts';
import { inspectCommand } from './inspect.ts';
import { languageServerCommand } from './language-server.ts';
import { listCommand } from './list.ts';
import { replayCommand } from './replay.ts';
import { resumeCommand } from './resume.ts';
import { runCommand } from './run.ts';
import { runsCommand } from './runs.ts';
import { transformCommand } from './transform.ts';
import { upgradeCommand } from './upgrade.ts';
import { wakeCommand } from './wake.ts';
import { workerCommand } from './worker.ts';

/** Every command, in the order in which help lists them. */
export const COMMANDS: readonly Command[] = [
  buildCommand,
  checkCommand,
  explainCommand,
  transformCommand,
  listCommand,
  runCommand,
  devCommand,
  workerCommand,
  runsCommand,
  inspectCommand,
  cancelCommand,
  resumeCommand,
  wakeCommand,
  replayCommand,
  upgradeCommand,
  languageServerCommand,
];
