import pg from 'pg'

/** Runs statements on a database of their own connection, and has the rows of the last. */
export async function query(url: string, ...statements: string[]): Promise<any[]> {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    let rows: any[] = []
    for (const sql of statements) rows = (await client.query(sql)).rows
    return rows
  } finally {
    await client.end()
  }
}
