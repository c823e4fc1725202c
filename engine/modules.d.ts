// What the build turns into a module besides TypeScript: shader text, compiled WebAssembly, scripts bundled to a string, and
// files as they are.
declare module '*.wgsl' {
  const text: string;
  export default text;
}
declare module '*.wasm' {
  const bytes: Uint8Array<ArrayBuffer>;
  export default bytes;
}
declare module '*?inline' {
  const script: string;
  export default script;
}
declare module '*?text' {
  const text: string;
  export default text;
}
