import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { freshDatabase } from '@tidemark/test-engines'
import { CronFileParser } from 'cron-parser'
import { execa } from 'execa'
import { Deployment } from 'kubernetes-models/apps/v1'
import { CronJob } from 'kubernetes-models/batch/v1'
import { ConfigMap, Service } from 'kubernetes-models/v1'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { parseAllDocuments } from 'yaml'
import { loadConfig } from '../src/config/index.ts'
import { BIN, cliWorld } from './world/cli-world.ts'

const EXAMPLES = fileURLToPath(new URL('../../../examples', import.meta.url))
const README = fileURLToPath(new URL('../../../README.md', import.meta.url))

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-examples-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

/** The lines of a file that do something. */
const commands = (text: string) => text.split('\n').filter((line) => /^(tidemark|timeout) /.test(line))

test('the wave for cron runs as it is printed, from sh and with a bare environment', async () => {
  using world = await cliWorld()
  world.write('tidemark.yaml', 'sources:\n  docs: { repo: docs }\n  wiki: { repo: vite.git, ref: main }\n')
  const script = readFileSync(join(EXAMPLES, 'cron', 'wave'), 'utf8')
  // Where the package is installed, npm has put the same there.
  world.write('bin/tidemark', `#!/bin/sh\nexec ${process.execPath} ${BIN} "$@"\n`)
  await execa('chmod', ['+x', join(world.folder, 'bin/tidemark')])
  const { stdout } = await execa('/bin/sh', ['-e', join(EXAMPLES, 'cron', 'wave')], {
    cwd: world.folder,
    extendEnv: false,
    env: { PATH: `${world.folder}/bin:/usr/bin:/bin`, DATABASE_URL: world.database },
  })
  expect(stdout).toMatch(/docs +absent/)
  expect(stdout).toMatch(/docs +first_sync +\+3/)
  expect(stdout).toMatch(/wiki +first_sync +\+84/)
  expect(commands(script)[0]).toBe('tidemark sync --break-lock --all --max-age 1800')
  expect(commands(readFileSync(README, 'utf8'))).toEqual(expect.arrayContaining(commands(script)))
})

test('the crontab is one that cron reads', () => {
  const { variables, expressions, errors } = CronFileParser.parseFileSync(join(EXAMPLES, 'cron', 'crontab'))
  expect(errors).toEqual({})
  expect(variables).toHaveProperty('DATABASE_URL')
  expect(expressions.map(String)).toEqual(['*/30 * * * *'])
})

test('the systemd timer and services are accepted by systemd', async (context) => {
  const analyze = await execa('systemd-analyze', ['--version'], { reject: false })
  if (analyze.failed) {
    if (process.env.CI) throw new Error('systemd-analyze is needed where CI is set: install systemd')
    console.warn('Not run: systemd-analyze is not on this machine.')
    context.skip()
  }
  cpSync(join(EXAMPLES, 'systemd'), folder, { recursive: true })
  const units = ['tidemark@docs.service', 'tidemark@docs.timer', 'tidemark-watch.service'].map((name) =>
    join(folder, name),
  )
  cpSync(join(folder, 'tidemark@.service'), units[0]!)
  cpSync(join(folder, 'tidemark@.timer'), units[1]!)
  const { exitCode, stderr } = await execa('systemd-analyze', ['verify', '--man=no', ...units], {
    reject: false,
  })
  // It also tells of units of the machine itself.
  expect(stderr.split('\n').filter((line) => line.includes('tidemark'))).toEqual([])
  expect(exitCode).toBe(0)
})

test('the Kubernetes manifest of a watch is one of a ConfigMap, a Deployment and a Service, and its command runs', async () => {
  const text = readFileSync(join(EXAMPLES, 'kubernetes', 'watch.yaml'), 'utf8')
  const documents = [...parseAllDocuments(text, { strict: true, uniqueKeys: true })]
  const [config, deployment, service] = documents.map((each) => ('toJS' in each ? each.toJS() : each))
  new ConfigMap(config).validate()
  new Deployment(deployment).validate()
  new Service(service).validate()
  expect(() => new Deployment({ ...deployment, spec: { ...deployment.spec, replicas: 'x' } }).validate()).toThrow()
  const [container] = deployment.spec.template.spec.containers
  const { url, drop } = await freshDatabase('postgres')
  using world = await cliWorld(url)
  world.write('tidemark.yaml', config.data['tidemark.yaml'].replace('https://example.org/team/docs.git', 'docs'))
  const watch = world.start([...container.command.slice(1), ...container.args].join(' ').replace(':8080', ':0'))
  await new Promise<void>((resolve) => {
    watch.stderr.on('data', (data) => String(data).includes('"first_sync"') && resolve())
  })
  watch.kill('SIGTERM')
  expect((await watch).exitCode).toBe(143)
  await drop()
})

test('the Kubernetes manifest is one of a ConfigMap and a CronJob, by their schemas', () => {
  const text = readFileSync(join(EXAMPLES, 'kubernetes', 'cronjob.yaml'), 'utf8')
  const documents = parseAllDocuments(text, { strict: true, uniqueKeys: true })
  const [config, job] = [...documents].map((each) => {
    if ('errors' in each) expect(each.errors).toEqual([])
    return 'toJS' in each ? each.toJS() : each
  })
  new ConfigMap(config).validate()
  new CronJob(job).validate()
  expect(() => new CronJob({ ...job, spec: { ...job.spec, schedule: 10 } }).validate()).toThrow()
  const file = join(folder, 'tidemark.yaml')
  writeFileSync(file, config.data['tidemark.yaml'])
  expect(loadConfig(file).sources).toMatchObject([{ id: 'docs' }])
})
