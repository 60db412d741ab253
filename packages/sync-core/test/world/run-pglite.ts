/** Opens the embedded database of the first argument, says so, counts as many rows as the second says, and never closes it. */
import { openDatabase } from '../../src/index.ts'

process.on('SIGINT', () => console.log('interrupted'))
const db = await openDatabase(process.argv[2]!)
console.log('open')
const { rows } = await db.query('SELECT count(*)::integer AS n FROM generate_series(1, $1::integer)', [process.argv[3]])
console.log(rows[0].n)
