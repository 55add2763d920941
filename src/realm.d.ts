/** One script, made of a TypeScript entry and all that it imports, for evaluation in the workflow realm (realm.plugin.ts). */
declare module '*?realm' {
  const code: string;
  export default code;
}
