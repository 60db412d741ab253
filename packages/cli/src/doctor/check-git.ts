import { execa } from 'execa'
import { type Finding, well, wrong } from './finding.ts'

const OLDEST = [2, 34] as const

/** Whether git is there and new enough. */
export async function checkGit(): Promise<Finding> {
  const nextStep = `Install git ${OLDEST.join('.')} or newer.`
  const { stdout, failed } = await execa('git', ['--version'], { reject: false })
  const [major = 0, minor = 0] =
    /(\d+)\.(\d+)/
      .exec(stdout ?? '')
      ?.slice(1)
      .map(Number) ?? []
  if (failed) return wrong('git', { message: 'the program "git" was not found', nextStep })
  const newEnough = major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])
  return newEnough ? well('git', stdout) : wrong('git', { message: `${stdout} is too old`, nextStep })
}
