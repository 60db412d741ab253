import { setFlagsFromString } from 'node:v8'

/** Has V8 collect garbage sooner than it would. @param severalOnServer whether several sources are synced at a time, on a server */
export function limitHeap(severalOnServer: boolean): void {
  // Most of what a sync makes lives for a batch, and V8 would let it pile up: 370,000 pages pass through 176 MB instead
  // of 318, for a sixth more computing. (--optimize-for-size: 120 MB, for twice as much.) Set when the program has been
  // loaded, which would take longer by it.
  setFlagsFromString('--semi-space-growth-factor=1')
  // Several sources leave so much more that the old generation has to be kept small too: four of 185,000 pages in all pass
  // through 165 MB instead of 190 with 100, in a tenth more time. It costs pauses, and an embedded database, whose memory
  // V8 counts, a third of its speed.
  if (severalOnServer) setFlagsFromString('--heap-growing-percent=25')
}
