import type ts from 'typescript';
import type { Types } from '../../rules/types.ts';
import { toRelative } from '../disk-resolve.ts';
import type { TypeBackend, TypeSources } from './backend.ts';
import { classicModel, type TypeScript } from './classic-model.ts';
import type { TypeModel } from './model.ts';
import { type Project, Projects } from './projects.ts';
import { Questions } from './questions.ts';
import { createRegistry } from './registry.ts';
import { ServiceHost } from './service-host.ts';

/**
 * TypeScript 5.5 to 6. One language service for each project, which keeps parsed files from check to check. Its roots are the
 * files with boundaries and what declares global types: what boundaries do not mention is never read, and bodies are checked
 * only where a type has to be inferred from them.
 */
export function createClassicBackend(api: TypeScript): TypeBackend {
  return new ClassicBackend(api);
}

class ClassicBackend implements TypeBackend {
  readonly #api: TypeScript;
  readonly #registry: ts.DocumentRegistry;
  readonly #notices = new Set<string>();
  /** By configuration, or by root where there is none. */
  readonly #services = new Map<string, Service>();
  #projects: { of: Projects; key: string } | null = null;

  constructor(api: TypeScript) {
    this.#api = api;
    this.#registry = createRegistry(api);
  }

  get name(): string {
    return `TypeScript ${this.#api.version}`;
  }

  get notices(): readonly string[] {
    return [...this.#notices];
  }

  open(sources: TypeSources): Types {
    let services: Map<string, Service> | null = null;
    const models = new Map<Service, TypeModel>();
    const modelOf = (file: string): TypeModel | null => {
      services ??= this.#assign(sources);
      const service = services.get(file) ?? serviceWith(services, file);
      if (!service) return null;
      let model = models.get(service);
      if (!model) {
        const program = programOf(service);
        if (!program) return null;
        model = classicModel(this.#api, program);
        models.set(service, model);
      }
      return model;
    };
    return new Questions({ root: sources.root, modelOf, serializable: sources.serializable });
  }

  dispose(): void {
    for (const { service } of this.#services.values()) service.dispose();
    this.#services.clear();
    this.#projects = null;
  }

  /** Makes or updates the service of each project that has boundaries. By file, absolute. */
  #assign(sources: TypeSources): Map<string, Service> {
    const { root } = sources;
    const projects = this.#projectsFor(sources);
    const overlays = new Map([...sources.overlays].map(([file, text]) => [absolute(root, file), text]));
    const files = new Map<Project, string[]>();
    for (const file of sources.files) {
      const path = absolute(root, file);
      const project = projects.of(path);
      const known = files.get(project) ?? [];
      files.set(project, known);
      known.push(path);
    }
    const found = new Map<string, Service>();
    for (const [project, roots] of files) {
      this.#noteProblem(project, root);
      const service = this.#service(project.config ?? `${root}/`, sources.generation);
      service.host.update(project, roots, overlays);
      for (const file of roots) found.set(file, service);
    }
    return found;
  }

  /** What configurations say holds while they and the files with boundaries stay the same. */
  #projectsFor({ root, files }: TypeSources): Projects {
    const key = [root, ...files].join('\n');
    if (this.#projects?.key !== key || !this.#projects.of.isCurrent())
      this.#projects = { of: new Projects(this.#api, root), key };
    return this.#projects.of;
  }

  /** A service holds on to where imports led. When files have come or gone, a new one takes over, with the same parsed files. */
  #service(key: string, generation: number): Service {
    const known = this.#services.get(key);
    if (known?.generation === generation) return known;
    const host = known?.host ?? new ServiceHost(this.#api);
    const service = this.#api.createLanguageService(host, this.#registry);
    const found: Service = { host, service, generation, before: known ?? null };
    this.#services.set(key, found);
    return found;
  }

  #noteProblem({ config, problem }: Project, root: string): void {
    if (config === null || problem === null) return;
    const why = problem.replace(/\.$/, '');
    this.#notices.add(`Types are asked for without all of ${toRelative(root, config)}: ${why}.`);
  }
}

/**
 * The same over a program that somebody else keeps, such as an editor's language service.
 *
 * @param programOf - the program that a file (absolute) belongs to
 */
export function classicTypes(
  api: TypeScript,
  programOf: (file: string) => ts.Program | undefined,
  { root, serializable }: Pick<TypeSources, 'root' | 'serializable'>,
): Types {
  const models = new Map<ts.Program, TypeModel>();
  const modelOf = (file: string): TypeModel | null => {
    const program = programOf(file);
    if (!program) return null;
    const model = models.get(program) ?? classicModel(api, program);
    models.set(program, model);
    return model;
  };
  return new Questions({ root, modelOf, serializable });
}

interface Service {
  service: ts.LanguageService;
  host: ServiceHost;
  generation: number;
  /** What it takes over from, until it has the parsed files. */
  before: Service | null;
}

function programOf(service: Service): ts.Program | undefined {
  const program = service.service.getProgram();
  for (let { before } = service; before; before = before.before) before.service.dispose();
  service.before = null;
  return program;
}

/** A file without boundaries: one that imports lead to from a file that has some. */
function serviceWith(programs: ReadonlyMap<string, Service>, file: string): Service | null {
  for (const service of new Set(programs.values())) if (programOf(service)?.getSourceFile(file)) return service;
  return null;
}

function absolute(root: string, file: string): string {
  return /^(?:\/|[A-Za-z]:)/.test(file) ? file : `${root}/${file}`.replace(/\/(?:[^/]+\/\.\.\/)+/g, '/');
}
