/** What of it is used; Node's types leave it to those of browsers. */
declare namespace WebAssembly {
  type Module = object
  class Memory {
    constructor(pages: { readonly initial: number; readonly maximum: number })
  }
  function compile(bytes: Uint8Array): Promise<Module>
  function instantiate(
    module: Module,
    imports: Record<string, object>,
  ): Promise<{ readonly exports: Record<string, (...pointers: number[]) => unknown> }>
}
