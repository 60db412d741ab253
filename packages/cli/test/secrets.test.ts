import { expect, test } from 'vitest'
import { cliWorld, freshName } from './world/cli-world.ts'

const SECRET = 'hunter2-s3cret'

// Each in plain words, with all that can be told, and in the process of another.
test.each(['', ' --verbose', ' --json --verbose', ' --independent --verbose'])(
  'no password of an address or of the environment is printed by anything%s',
  async (flags) => {
    using world = await cliWorld()
    const name = freshName()
    world.write(
      'tidemark.yaml',
      `sources:
  ${name}: { repo: "https://me:\${TOKEN}@127.0.0.1:1/team/docs.git" }
  ${name}-token: { repo: "https://\${TOKEN}@127.0.0.1:1/team/docs.git" }
  ${name}-empty: { repo: "https://\${TOKEN}:@127.0.0.1:1/team/docs.git" }
  ${name}-scp: { repo: "ssh://me:\${TOKEN}@127.0.0.1:1/team/docs.git" }
  ${name}-query: { repo: "https://127.0.0.1:1/docs.git?access_token=\${TOKEN}" }
  ${name}-odd: { repo: docs, ref: main }
`,
    )
    const wrong = new URL(world.database)
    wrong.password = SECRET
    wrong.port = '1'
    const quiet = flags.replace(' --independent', '')
    const calls = [
      [`sync --all${flags}`, {}],
      [`sync --all --timeout 60${flags}`, { DATABASE_URL: wrong.href }],
      [`status${quiet}`, {}],
      [`doctor${quiet}`, {}],
      [`doctor${quiet}`, { DATABASE_URL: wrong.href }],
      [`sources list${quiet}`, {}],
      [`runs${quiet}`, {}],
    ] as const
    const told = await Promise.all(
      calls.map(([args, env]) => world.run(args, { TOKEN: SECRET, GIT_SSH_COMMAND: 'false', ...env })),
    )
    for (const { stdout, stderr } of told) expect(stdout + stderr).not.toContain(SECRET)
    expect(told[1]!.exitCode).toBe(1)
  },
)

test.each(['p/${TOKEN}', 'p?${TOKEN}', 'p#${TOKEN}', '${TOKEN}%0A'])(
  'an address whose password is %s cannot be read, and is refused without it',
  async (password) => {
    using world = await cliWorld()
    world.write('tidemark.yaml', `sources: { docs: { repo: "https://me:${password}@127.0.0.1:1/team/docs.git" } }`)
    const { exitCode, stdout, stderr } = await world.run('status --verbose', { TOKEN: SECRET })
    expect({ exitCode, stdout }).toEqual({ exitCode: 2, stdout: '' })
    expect(stderr).toContain('has an address that is not fetched')
    expect(stderr).not.toContain(SECRET)
  },
)
