/** What the language has in newer versions of Node. Imported first: other modules look at it while they are evaluated. */
for (const name of ['dispose', 'asyncDispose']) {
  // The symbols that compilers fall back on when they lower `using`.
  if (!(name in Symbol)) Object.defineProperty(Symbol, name, { value: Symbol.for(`Symbol.${name}`) });
}

export {};
