import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { EditorProject } from '../../../src/editor/project.ts';
import { temporaryProject } from '../../support/project.ts';

/** A project of texts, as an editor has it when nothing is open. */
export function editorProject(files: Record<string, string>): EditorProject {
  const project = new EditorProject({ root: temporaryProject(files), types: () => null });
  onTestFinished(() => project.dispose());
  return project;
}

/** The absolute path of a file of it. */
export function pathIn(project: EditorProject, file: string): string {
  return join(project.root, file);
}
