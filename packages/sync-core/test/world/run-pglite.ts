/** Opens the embedded database of the first argument, says so, runs a statement of some seconds, and never closes it. */
import { openDatabase } from '../../src/index.ts'

process.on('SIGINT', () => console.log('interrupted'))
const db = await openDatabase(process.argv[2]!)
console.log('open')
const { rows } = await db.query('SELECT count(*)::integer AS n FROM generate_series(1, 5000000)')
console.log(rows[0].n)
