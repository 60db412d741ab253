declare module 'fs-native-extensions' {
  /** Locks the whole open file for writing; false where another open file has it. */
  export function tryLock(fd: number): boolean
}
