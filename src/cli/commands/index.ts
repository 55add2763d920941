import type { Command } from '../command.ts';
import { checkCommand } from './check.ts';
import { explainCommand } from './explain.ts';
import { transformCommand } from './transform.ts';

/** Every command, in the order in which help lists them. */
export const COMMANDS: readonly Command[] = [checkCommand, explainCommand, transformCommand];
