import { type Command, Option } from 'commander'
import { count, several } from '../flags.ts'
import { lazy } from './lazy.ts'

/** `tidemark search`: finds pages. */
export function addSearch(program: Command): void {
  program
    .command('search')
    .summary('find pages by words, by meaning, or by both')
    .description(
      'Finds pages in what is mirrored: by words, and also by meaning where it has been embedded. Words are as a web search has them: "a phrase", or, -without. Changes nothing.',
    )
    .argument('<words...>', 'what to look for')
    .option('--source <id>', 'only in this source; can be given several times', several)
    .option('--limit <n>', 'how many pages', count, 10)
    .addOption(
      new Option('--mode <mode>', 'by what (default: hybrid where there are embeddings, else text)').choices([
        'text',
        'vector',
        'hybrid',
      ]),
    )
    .addHelpText(
      'after',
      `\nExamples:\n  $ tidemark search dev server proxy\n  $ tidemark search '"dev server"' proxy -webpack --source vite\n  $ tidemark search how do I forward requests --mode vector --limit 3`,
    )
    .action(lazy(() => import('../actions/search.ts')))
}
