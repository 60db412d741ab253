import { readFile } from 'node:fs/promises'
import { setFlagsFromString } from 'node:v8'

/** What PGlite asks for, in pages of 64 kB; none is touched but those of its constants. */
const MEMORY = { initial: 2_048, maximum: 32_768 }
/** Which function V8's optimizing compiler may have; −1: all of them. */
const FILTER = '--wasm-tier-up-filter'

/**
 * Compiles PGlite, whose SQL grammar is left to V8's baseline compiler for good. It is one function of 105 kB, for which
 * the optimizing one takes 600 MB for a moment that comes in each import, and more time than it gives back.
 *
 * V8 decides that for a function when it is called first. So that happens here, in an instance that is thrown away: its
 * memory is empty, and the call ends at the first null pointer.
 */
export async function compileModule(): Promise<WebAssembly.Module> {
  const wasm = new URL('pglite.wasm', import.meta.resolve('@electric-sql/pglite'))
  const module = await WebAssembly.compile(await readFile(wasm))
  const memory = new WebAssembly.Memory(MEMORY)
  // Whatever function it imports is never called.
  const anything = new Proxy({ memory }, { get: (own, name) => Reflect.get(own, name) ?? (() => 0) })
  const { exports } = await WebAssembly.instantiate(module, { env: anything, wasi_snapshot_preview1: anything })
  const call = (name: string) => {
    try {
      exports[name]!(0, 0, 0, 0)
    } catch {}
  }
  // What the grammar calls first is optimized as all else.
  call('scanner_init')
  setFlagsFromString(`${FILTER}=0`)
  call('raw_parser')
  setFlagsFromString(`${FILTER}=-1`)
  return module
}
