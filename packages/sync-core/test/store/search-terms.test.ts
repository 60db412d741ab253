import { describe, expect, test } from 'vitest'
import { createIndexText } from '../../src/store/search/index-text.ts'
import { splitTerms } from '../../src/store/search/split-terms.ts'

/** The words of a text as they are searched for, and in brackets what a word, or it and those behind it, is found by too. */
const terms = (text: string) =>
  splitTerms(text)
    .map(({ word, spelling, unsigned }) => {
      const others = [spelling?.word, unsigned].filter((other) => other !== undefined)
      return others.length > 0 ? `${word} [${others.join(' ')}]` : word
    })
    .join(' ')

/** Where the terms stand, as the text has them. */
const places = (text: string) => splitTerms(text).map(({ start, end }) => text.slice(start, end))

describe('the terms of a text', () => {
  test.each([
    ['Set it to False.', 'set it to false'],
    ['server.hmr.overlay', 'server hmr overlay'],
    ['read_user_name', 'read user name'],
    ['vite-plugin-legacy', 'vite plugin legacy'],
    ['v1.2.3', 'v [v1] 1 2 3'],
    ['#1234', '1234'],
    ['jane.doe@example.org', 'jane doe example org'],
    ['', ''],
    ['.,;:!', ''],
  ])('are its words: %j', (text, expected) => {
    expect(terms(text)).toBe(expected)
  })

  test.each([
    ['getUserName', 'get [getusername] user name'],
    ['HTTPServer2', 'http [httpserver2] server 2'],
    ['APIs', 'apis'],
    ['APIsAre', 'ap [apisare] is are'],
    ['MAX', 'max'],
    ['to-do', 'to [todo] do'],
    ['and/or', 'and [andor] or'],
    ['R&D', 'r [rd] d'],
    ['in-and-out', 'in [inandout] and out'],
    ['one-two-three-four', 'one [onetwo] two three four'],
    ['ab-abcde', 'ab abcde'],
  ])('are the parts of an identifier or compound, which is found whole as well: %s', (text, expected) => {
    expect(terms(text)).toBe(expected)
  })

  test.each([
    ['C++', 'cplusplus [c]'],
    ['C#', 'csharp [c]'],
    ['C#x', 'c x'],
    ['C++.', 'cplusplus [c]'],
    ['myC++', 'my [mycplusplus] cplusplus [c]'],
    ['a#b', 'a b'],
    ['a+', 'a'],
  ])('keep the sign that a language is called by, and are found without it: %s', (text, expected) => {
    expect(terms(text)).toBe(expected)
  })

  test.each([
    ['d670460b4b4aece5915c', 'd670460b4b4aece5915c'],
    ['a1b2c3', 'a [a1b2c3] 1 b 2 c 3'],
    ['a1b2c3d', 'a1b2c3d'],
    ['aBcDeFgHiJkL', 'a [abcdefghijkl] bc de fg hi jk l'],
    ['oneTwoThreeFourFiveSixSevenEight', 'one [onetwothreefourfivesixseveneight] two three four five six seven eight'],
  ])('leave a key or hash in one piece, and no name: %s', (text, expected) => {
    expect(terms(text)).toBe(expected)
  })

  test.each([
    ['Café', 'cafe [café]'],
    ['CAFÉ', 'cafe [café]'],
    ['Straße', 'strasse [straße]'],
    ['Ørsted Łódź', 'orsted [ørsted] lodz [łódź]'],
    ['Ægir œuf đak Þór ð', 'aegir [ægir] oeuf [œuf] dak [đak] thor [þór] d [ð]'],
    ['λόγος', 'λογος [λόγος]'],
    ['Йод ёлка', 'йод елка [ёлка]'],
    ['ﬁle', 'file [ﬁle]'],
    ['naïveCafé', 'naive [naivecafe] cafe'],
    ['שָׁלוֹם', 'שלום [שָׁלוֹם]'],
  ])('have no accents, and the word as it stands is a second spelling: %s', (text, expected) => {
    expect(terms(text.normalize('NFC'))).toBe(expected.normalize('NFC'))
  })

  test('do not end at soft hyphens and joiners', () => {
    expect(terms('soft\u00ADware')).toBe('software')
    expect(places('soft\u00ADware x')).toEqual(['soft\u00ADware', 'x'])
  })

  test.each([
    ['部署服务器', '部署 署服 服务 务器 器'],
    ['署', '署'],
    ['ガイド', 'ガイ イド ド'],
    ['ｶﾞｲ', 'ガイ イ'],
    ['㈠部', '一部 部'],
    ['数据\n库', '数据 据库 库'],
    ['Node部署v2', 'node 部署 署 v [v2] 2'],
    ['ภาษา', 'ภา าษ ษา า'],
  ])('are the pairs of characters of a script without spaces: %j', (text, expected) => {
    expect(terms(text)).toBe(expected)
  })

  test('say how many characters of such a script they are', () => {
    expect(splitTerms('部署 x').map(({ characters }) => characters)).toEqual([2, 1, undefined])
  })

  test('are emoji too, but no signs of trade', () => {
    expect(terms('🚀 Launch ©')).toBe('u1f680 launch')
  })

  test('stand where the text has them, signs and pairs included', () => {
    expect(places('Use getUserName, C++ in 🚀')).toEqual(['Use', 'get', 'User', 'Name', 'C++', 'in', '🚀'])
    expect(places('部署服')).toEqual(['部署', '署服', '服'])
    expect(splitTerms('Use getUserName')[1]!.spelling).toEqual({ word: 'getusername', end: 15 })
  })

  test('are cut at 200 characters, and no character in two', () => {
    const lengths = (text: string) => splitTerms(text).map(({ word }) => word.length)
    expect(lengths('x'.repeat(200))).toEqual([200])
    expect(lengths('x'.repeat(201))).toEqual([200])
    const [term] = splitTerms('𐐨'.repeat(101).concat('é'))
    expect(term!.word.isWellFormed()).toBe(true)
    expect(splitTerms(`x${'𐐨'.repeat(101)}`)[0]!.word.isWellFormed()).toBe(true)
  })
})

describe('the text of which an index is made', () => {
  const indexText = createIndexText()

  test.each([
    ['Set it to 80.', 'Set it to 80'],
    ['Call getUserName, then getUserName.', 'Call get user name then get user name getusername'],
    ['部署 it', '部署 署 it'],
    ['C++ café', 'cplusplus cafe c café'],
    ['cafe\u0301', 'cafe café'],
    ['', ''],
    ['x'.repeat(60), 'x'.repeat(60)],
    ['getUserNameOfTheVeryLongIdentifierThatNobodyRemembers', expect.stringMatching(/^get user name of the /)],
  ])('has its terms in order, and behind them each other spelling once: %j', (text, expected) => {
    expect(indexText(text)).toEqual(expected)
    expect(indexText(text)).toEqual(expected)
  })

  test('is the same of a vocabulary that is larger than what is remembered', () => {
    const words = Array.from({ length: 50_010 }, (_, i) => `wOrd${i}`).join(' ')
    indexText(words)
    expect(indexText('wOrd1 wOrd50009')).toBe('w ord 1 w ord 50009 word1 word50009')
  })
})
