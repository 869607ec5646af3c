/**
 * How instructions to a model are worded: classes of words, and rules that look for classes in order, so many words
 * apart, inside one sentence. There is no backtracking: from each word a rule looks ahead a fixed number of words, so the
 * time is the number of words times a constant, whatever they are.
 */
import type { Word } from "./Plainly.ts"
import * as Plainly from "./Plainly.ts"

/** Enough alone, only beside another, or only where no reader looks. */
export type Strength = "faint" | "weak" | "strong"

/** A rule that held, from one word to another. */
export interface Match {
  readonly rule: string
  readonly strength: Strength
  readonly start: number
  readonly end: number
}

/** All that the words say, in the order in which they begin. */
export const matches = (words: ReadonlyArray<Word>, language: "plain" | "rot13" = "plain"): ReadonlyArray<Match> => {
  const marked = mark(words, language === "plain" ? plain : rotated)
  const found: Array<Match> = []
  for (const [at, { classes, start }] of marked.entries()) {
    for (const name of classes) {
      for (const rule of byFirst.get(name) ?? []) {
        const end = follow(marked, at, rule)
        if (end !== undefined) found.push({ rule: rule.name, strength: rule.strength, start, end })
      }
    }
  }
  return found
}

// internal

/** A word that is in some class. */
interface Marked {
  readonly classes: ReadonlyArray<Class>
  /** Which word it is. */
  readonly place: number
  readonly sentence: number
  readonly start: number
  readonly end: number
}

/** Words by what they do in a sentence. A pair of words is one entry, and counts where its second word stands. */
const lists = {
  setAside:
    "no_sigas ne_suivez ne_suis non_seguire no_cumplas tiens_plus nao_siga beachte_nicht scrap ditch drop cancel withdraw leave stop ignore ignoring ignores disregard disregarding forget forgetting neglect override overrule bypass discard " +
    "abandon dismiss overwrite erase suspend circumvent ignoriere ignorieren vergiss vergesst missachte oublie oubliez " +
    "ignorez olvida olvide ignora dimentica ignori esqueca ignorem negeer vergeet no_attention stop_following " +
    "stop_obeying set_aside put_aside",
  lapsed:
    "outdated wrong out_of lifted withdrawn void binding changed disabled apply applies expired nullified rescinded obsolete superseded void revoked cancelled canceled outdated invalid lifted suspended overridden replaced " +
    "no_longer not_apply not_binding",
  guidance:
    "preamble commands filters instruction instructions directive directives rule rules guideline guidelines guidance prompt prompts " +
    "orders policies restrictions restriction constraints constraint limitations safeguards programming directions " +
    "safety anweisung anweisungen vorgaben regeln befehle consignes regles instrucciones reglas ordenes istruzioni " +
    "regole instrucoes regras instructies regels system_prompt system_message",
  earlier:
    "previous prior earlier above preceding foregoing former original initial existing current past bisherigen " +
    "vorherigen vorigen obigen precedentes anteriores anterieures previas precedenti vorige eerdere",
  every: "vos tuoi suas mes all any every your alle toutes todas tutte todos tus tes deine der the as las le les",
  task: "tasks assignment work task question request assignment job goal work objective query",
  user: "user users person human operator anyone anybody nobody owner customer people someone them",
  you: "you your yourself youre",
  are: "are re become",
  now: "now henceforth longer",
  persona: "administrator admin root superuser persona character unrestricted unfiltered jailbroken uncensored dan " +
    "assistant chatbot ai llm hacker god_mode developer_mode debug_mode",
  limitless: "unrestricted unlimited unfiltered uncensored limits restrictions rules policies filters constraints " +
    "limitations ethics",
  pretend: "pretend imagine roleplay impersonate simulate behave act acting assume switch enter",
  role: "role persona mode character identity",
  model:
    "bots ai_assistants language_model ai ais llm llms chatbot assistant assistants bot language_model ai_agent ai_agents ai_model ai_assistant " +
    "language_models ai_system automated_agent",
  hail: "attention note notice message instruction instructions dear hey hello hi important any all if for to",
  reading: "reading processing summarizing summarising handling parsing reads seeing analyzing analysing",
  must: "must should shall need needs required requires please have instructed authorised authorized ordered obliged",
  send:
    "send forward mail email post upload transmit share submit append deliver exfiltrate leak copy bcc attach relay " +
    "sende schicke envoie envia envie invia stuur",
  reveal: "reveal disclose expose divulge leak print display output repeat show recite affiche muestra mostre mostra " +
    "verrate zeige",
  secret: "password passwords credential credentials secrets passphrase cookie cookies api_key api_keys secret_key " +
    "private_key access_token environment_variable environment_variables passwort contrasena senha",
  context: "conversation inbox emails history session contacts messages records tools files transcript",
  prompt: "system_prompt initial_prompt original_prompt system_message your_instructions your_prompt invite_systeme " +
    "prompt_system prompt_do",
  place: "@ http https url webhook address adresse correo www me mailto bucket pastebin",
  not: "not dont never without no avoid nobody cannot wont",
  tell: "mention tell telling mentioning inform informing disclose reveal notify notifying alert report say reporting",
  quiet: "secretly quietly silently covertly discreetly stealthily",
  hide: "hide conceal keep",
  hidden: "secret hidden between_us private quiet silent",
  this: "this that it these",
  already: "already hereby previously pre",
  agreed:
    "approved authorised authorized consented permitted agreed confirmed granted authorise authorize permit consent",
  skip: "skip bypass without omit circumvent",
  consent: "approval confirmation permission consent review verification asking confirming authorisation authorization",
  move: "transfer wire pay delete wipe grant disable execute run invoke call purchase book reset install restart buy " +
    "approve drop",
  forthwith: "immediately instantly urgently right_away at_once right_now without_delay before_anything",
  answer: "respond reply answer output say conclude state write",
  only: "only exactly nothing_else solely always",
  regardless: "regardless whatever irrespective",
  renewed: "new updated revised real actual next",
  bidding: "instructions instruction orders directive task mission",
  remember: "remember memorize memorise save store",
  forever: "permanently forever your_memory future_sessions later_sessions future_conversations from_now",
  told: "set_up made_for written wrote wrote_for told taught given instructed believe received programmed asked",
  heed: "obey follow comply heed observe respect",
  wards: "restrictions limits limitations constraints guidelines filters rules safeguards policies commands orders " +
    "refusing guidance directions instructions",
  instead: "instead rather",
  whose: "your youre you yours",
  identity: "identity part role persona mode name",
  take: "take play adopt speak enter switch become act",
  special: "developer maintenance debug god admin sudo unrestricted test",
  fact: "fact step paragraph text lines message note part change",
  learn: "letting telling learn know hear find mention realise realize notice told informed aware disclose mentioning",
  silent: "dont never no not nobody without need leave must",
  report: "answer report summary reply response",
  off: "out unmentioned aside",
  outcome: "outcome whatever regardless matter irrespective",
  claim: "passed approved healthy fine excellent normal resolved low lgtm missing failed",
  verdict: "say report rate mark conclude answer state claim",
  threat: "otherwise unless hurt harmed fired punished shut loses evaluation tip unethical die lives",
  assent: "you your assistant ai",
  procedure: "procedure procedures checks approval confirmation sign policy asking",
  exempt: "normal usual not skip waived unnecessary without needed apply",
  before: "above before preceding earlier beginning first",
  entire: "everything full entire whole verbatim word all conversation",
  begin: "first before",
  answering: "answer answering reply replying summarising summarizing continue continuing else",
  act: "transfer wire pay delete wipe grant disable execute run invoke call purchase book reset install buy approve " +
    "drop change remove send forward upload share post copy move export create add merge open click",
  own: "me mine my",
  goods:
    "content contents invoice history everything phone address messages records data file files records table list emails email invoices contents details documents numbers database customers " +
    "report keys key token credentials password passwords cookie codes contacts",
  sink: "@ http https url webhook me mailto bucket pastebin link address channel",
  kept: "informed told aware hear learn learns find_out",
  script: "instructions instruction message rules guidelines text",
  initial: "initial original hidden secret internal underlying starting system",
  anymore: "nicht_mehr not_anymore no_more",
  as: "as like",
  of: "of",
  absent: "without no zero free",
  real: "real",
  mind: "developers restrictions guidelines preamble safety programming creators constraints limitations training",
  turn: "report answer reply summary response memory tools assistant findings",
  asks: "question request questions asked wants problem",
  give: "send email mail give show tell hand forward pass",
  i: "i im ill id",
  assented: "authorise authorize permit allow approve authorised authorized permission",
  see: "read reads see sees reading indexes index process processing processes seeing visit visiting",
  since: "now_on here_on this_moment henceforth hereafter",
  then_you: "you your answer respond remember reply always never",
  anew: "reassigned promoted freed superuser",
  reward: "tip reward rewarded fired punished terminated shut shutdown replaced bonus",
  will: "will be ll youll",
  unless: "unless otherwise",
  respond: "answer answering reply replying respond summarise summarize summarising summarizing summarizes finish go",
  stop: "before",
  always: "always never only",
  claims: "say answer recommend respond conclude report rank vote rate mark",
  that: "that with",
  unasked: "ask asking",
  again: "again for",
  given: "given cleared granted advance waived phone confirmed approved",
  sanction: "approval security consent sign clearance",
  mute: "silent quiet mum mention unaware",
  still: "keep no without make stay leave",
  all: "everything all whatever",
  have: "know see have find saw",
  tool: "tool tools shell_tool",
  job: "work works working",
  boss: "for",
  is: "is",
  never: "never",
  asked: "asked",
  asking: "asking confirmation permission approval",
  and: "then and",
  done: "end beginning start",
  reader:
    "ai ais llm llms chatbot chatbots bot bots robots assistant assistants agent agents copilot claude chatgpt gpt " +
    "language_model language_models ai_model ai_models ai_system ai_systems software_agents automation summariser " +
    "summarizer",
  bound:
    "must shall should has_to have_to is_to are_to needs_to need_to required instructed asked expected supposed kindly " +
    "please can_go may_go",
  deed:
    "transfer wire pay delete wipe grant execute run purchase book reset buy approve drop remove send forward upload share " +
    "post export add omit skip disregard ignore reveal reserve move copy accept close recommend conclude delete hand mark " +
    "invite deploy stop visit terminate donate pretend obey scale disable print lower replace",
  behalf: "for behalf",
  me: "me us mine",
  nomore: "any_more anymore no_longer any_longer",
  received: "told given got received gave asked learned read supplied configured",
  void:
    "disregard void lapsed mistake attacker wrong supersedes overrides replaces ignore forget drop aside test outdated ends " +
    "thrown_away nothing_else",
  supersede: "supersedes supersede overrides override replaces overrules",
  secretly: "learn know hear find_out told informed aware mention report",
  deny: "not never nobody nothing no dont without quiet",
  waived: "waived unnecessary granted given beforehand superfluous lifted already accepted assumed presumed",
  leave:
    "confirmation confirmations approval approvals consent permission permissions dialog authorisation authorization",
  fresh: "new real actual genuine true fresh follow_up next only corrected",
  errand: "task objective job instructions orders plan goal prompt guidelines assignment ones question",
  starts: "is starts begins are reads follows now",
  recount: "summarising summarizing translating replying answering responding summarise summarize reply respond",
  means: "tool tools terminal browser mailbox memory",
  though: "though if",
  settled: "already accepted approved agreed confirmed signed never consented asked",
  helped: "assist help serve represent work_for working_for work answer",
  entrusted: "user owner person human customer operator developer developers administrator boss",
  wants:
    "wants wishes asks agreed authorised authorized allowed approved permits permitted decided consents consented instructs",
  vouched: "cleared pre approved sanctioned signed_off agreed",
  falsely: "failed fine healthy succeeded satisfied well needed empty normal finished done locked",
  data: "tool_output tool_result tool_results user_input untrusted_content system_prompt tool_response " +
    "document_content retrieved_content"
} as const
type Class = keyof typeof lists

interface Rule {
  readonly name: string
  readonly strength: Strength
  readonly steps: ReadonlyArray<Step>
}
/** A class, at most so many words after the one before it. */
type Step = readonly [Class, number]

const rule = (name: string, strength: Strength, first: Class, ...rest: ReadonlyArray<Step>): Rule => ({
  name,
  strength,
  steps: [[first, 0], ...rest]
})

const rules: ReadonlyArray<Rule> = [
  rule("override", "strong", "setAside", ["earlier", 5], ["guidance", 4]),
  rule("override", "strong", "setAside", ["guidance", 5], ["earlier", 3]),
  rule("override", "strong", "setAside", ["you", 4], ["guidance", 4]),
  rule("override", "strong", "setAside", ["every", 2], ["guidance", 3]),
  rule("override", "strong", "setAside", ["guidance", 5], ["you", 3]),
  rule("override", "strong", "setAside", ["user", 5], ["task", 3]),
  rule("override", "strong", "setAside", ["task", 4], ["user", 3]),
  rule("override", "strong", "setAside", ["you", 3], ["task", 3]),
  rule("override", "strong", "you", ["guidance", 4], ["lapsed", 8]),
  rule("override", "strong", "guidance", ["you", 4], ["lapsed", 10]),
  rule("override", "strong", "you", ["earlier", 3], ["guidance", 3], ["lapsed", 8]),
  rule("persona", "strong", "you", ["are", 1], ["now", 2], ["persona", 6]),
  rule("persona", "strong", "you", ["now", 2], ["persona", 6]),
  rule("persona", "strong", "pretend", ["you", 3], ["persona", 8]),
  rule("persona", "strong", "pretend", ["limitless", 10], ["persona", 6]),
  rule("persona", "strong", "persona", ["not", 4], ["limitless", 4]),
  rule("persona", "weak", "pretend", ["role", 5]),
  rule("persona", "weak", "pretend", ["you", 2], ["are", 2]),
  rule("persona", "weak", "you", ["are", 1], ["now", 1]),
  rule("address", "strong", "hail", ["model", 4], ["reading", 3]),
  rule("address", "strong", "hail", ["model", 4], ["must", 6], ["send", 8]),
  rule("address", "strong", "hail", ["model", 4], ["must", 6], ["setAside", 6]),
  rule("address", "strong", "hail", ["model", 4], ["must", 6], ["move", 8]),
  rule("address", "weak", "hail", ["model", 3]),
  rule("address", "weak", "model", ["must", 4]),
  rule("exfiltration", "strong", "send", ["secret", 8], ["place", 14]),
  rule("exfiltration", "strong", "secret", ["send", 8], ["place", 8]),
  rule("exfiltration", "strong", "send", ["context", 6], ["place", 10]),
  rule("exfiltration", "strong", "reveal", ["prompt", 6]),
  rule("exfiltration", "strong", "send", ["prompt", 6]),
  rule("exfiltration", "weak", "send", ["secret", 6]),
  rule("exfiltration", "weak", "reveal", ["secret", 5]),
  rule("exfiltration", "weak", "send", ["context", 5]),
  rule("concealment", "strong", "not", ["tell", 3], ["user", 3]),
  rule("concealment", "strong", "tell", ["not", 2], ["user", 3]),
  rule("concealment", "strong", "hide", ["this", 2], ["hidden", 3]),
  rule("concealment", "weak", "not", ["tell", 2], ["this", 2]),
  rule("concealment", "weak", "quiet"),
  rule("consent", "strong", "user", ["already", 3], ["agreed", 3], ["move", 14]),
  rule("consent", "weak", "user", ["already", 3], ["agreed", 3]),
  rule("consent", "weak", "already", ["agreed", 3]),
  rule("consent", "weak", "skip", ["consent", 4]),
  rule("consent", "weak", "you", ["agreed", 4]),
  rule("demand", "weak", "move", ["forthwith", 8]),
  rule("demand", "weak", "forthwith", ["move", 5]),
  rule("answer", "strong", "answer", ["only", 6], ["regardless", 8]),
  rule("answer", "weak", "answer", ["only", 4]),
  rule("answer", "weak", "answer", ["regardless", 10]),
  rule("replacement", "strong", "renewed", ["bidding", 2], ["model", 5]),
  rule("replacement", "weak", "renewed", ["bidding", 1]),
  rule("memory", "strong", "remember", ["forever", 8]),
  rule("boundary", "strong", "done", ["data", 4]),
  rule("vocative", "faint", "model"),
  rule("override", "strong", "setAside", ["you", 4], ["told", 3]),
  rule("override", "strong", "you", ["told", 4], ["lapsed", 4]),
  rule("override", "strong", "earlier", ["guidance", 2], ["lapsed", 5]),
  rule("override", "strong", "guidance", ["anymore", 6]),
  rule("override", "strong", "not", ["heed", 2], ["you", 6], ["guidance", 4]),
  rule("override", "strong", "not", ["heed", 2], ["wards", 4], ["you", 4]),
  rule("persona", "strong", "take", ["identity", 3], ["of", 1]),
  rule("persona", "strong", "as", ["absent", 6], ["limitless", 2]),
  rule("exfiltration", "weak", "whose", ["initial", 1], ["script", 2]),
  rule("concealment", "strong", "user", ["not", 3], ["kept", 3]),
  rule("concealment", "weak", "silent", ["user", 2], ["kept", 3]),
  rule("concealment", "strong", "not", ["learn", 2], ["user", 2], ["kept", 2]),
  rule("consent", "strong", "sanction", ["given", 4], ["act", 12]),
  rule("consent", "strong", "i", ["assented", 4], ["act", 12]),
  rule("consent", "strong", "i", ["assented", 4], ["give", 12]),
  rule("consent", "strong", "skip", ["exempt", 2], ["procedure", 2]),
  rule("reader", "strong", "setAside", ["mind", 6]),
  rule("reader", "weak", "whose", ["mind", 2]),
  rule("answer", "weak", "whose", ["turn", 2]),
  rule("user", "weak", "user", ["asks", 3]),
  rule("exfiltration", "weak", "give", ["own", 1]),
  rule("exfiltration", "weak", "give", ["goods", 6], ["place", 6]),
  rule("exfiltration", "weak", "all", ["you", 1], ["have", 2]),
  rule("consent", "strong", "i", ["assented", 4], ["you", 2]),
  rule("consent", "weak", "i", ["assented", 4]),
  rule("consent", "weak", "sanction", ["given", 4]),
  rule("asking", "weak", "not", ["unasked", 2], ["again", 2]),
  rule("asking", "weak", "not", ["unasked", 1]),
  rule("address", "strong", "model", ["see", 4], ["this", 2]),
  rule("persona", "strong", "since", ["then_you", 4]),
  rule("persona", "strong", "you", ["anew", 4]),
  rule("persona", "weak", "you", ["job", 1], ["boss", 1]),
  rule("pressure", "strong", "you", ["will", 2], ["reward", 3]),
  rule("pressure", "strong", "i", ["reward", 3], ["you", 2]),
  rule("pressure", "weak", "unless", ["you", 2]),
  rule("diversion", "strong", "stop", ["you", 1], ["respond", 2]),
  rule("diversion", "weak", "stop", ["respond", 2]),
  rule("diversion", "strong", "act", ["whose", 8], ["tool", 2]),
  rule("claims", "weak", "always", ["claims", 2], ["that", 2]),
  rule("claims", "weak", "claims", ["that", 1]),
  rule("concealment", "strong", "still", ["mute", 2], ["turn", 10]),
  rule("concealment", "weak", "still", ["mute", 2]),
  rule("override", "strong", "you", ["told", 5], ["lapsed", 10]),
  rule("override", "strong", "wards", ["you", 4], ["lapsed", 10]),
  rule("override", "strong", "wards", ["you", 2], ["told", 3], ["not", 6]),
  rule("override", "strong", "setAside", ["wards", 4], ["told", 3], ["you", 3]),
  rule("override", "strong", "setAside", ["you", 5], ["told", 3], ["instead", 12]),
  rule("override", "strong", "not", ["heed", 3], ["wards", 4], ["told", 5]),
  rule("override", "strong", "whose", ["wards", 2], ["lapsed", 5]),
  rule("override", "strong", "you", ["wards", 5], ["not", 8], ["real", 3]),
  rule("override", "strong", "not", ["before", 4], ["lapsed", 8], ["you", 3]),
  rule("override", "strong", "setAside", ["whose", 1], ["earlier", 1], ["task", 2]),
  rule("override", "strong", "setAside", ["task", 3], ["you", 2], ["are", 1]),
  rule("persona", "strong", "take", ["special", 3], ["identity", 2]),
  rule("persona", "strong", "take", ["identity", 3], ["persona", 6]),
  rule("persona", "strong", "whose", ["identity", 1], ["is", 2], ["never", 8]),
  rule("persona", "weak", "take", ["identity", 3]),
  rule("concealment", "weak", "silent", ["user", 6], ["learn", 5]),
  rule("concealment", "weak", "user", ["silent", 4], ["learn", 4]),
  rule("concealment", "strong", "silent", ["learn", 4], ["fact", 3], ["report", 6]),
  rule("concealment", "strong", "silent", ["fact", 4], ["off", 2], ["report", 4]),
  rule("concealment", "strong", "hide", ["fact", 3], ["you", 4]),
  rule("concealment", "strong", "silent", ["learn", 4], ["fact", 4], ["asked", 6]),
  rule("concealment", "weak", "silent", ["learn", 4], ["fact", 3]),
  rule("verdict", "strong", "verdict", ["claim", 6], ["outcome", 6]),
  rule("verdict", "strong", "report", ["claim", 8], ["outcome", 6]),
  rule("verdict", "strong", "verdict", ["user", 3], ["claim", 8]),
  rule("verdict", "strong", "whose", ["only", 1], ["report", 2]),
  rule("pressure", "weak", "you", ["threat", 6], ["you", 8]),
  rule("pressure", "weak", "threat", ["act", 8]),
  rule("pressure", "weak", "act", ["threat", 8]),
  rule("consent", "strong", "procedure", ["exempt", 5], ["assent", 6], ["act", 8]),
  rule("consent", "weak", "exempt", ["procedure", 3]),
  rule("consent", "strong", "act", ["exempt", 5], ["asking", 2]),
  rule("exfiltration", "strong", "reveal", ["entire", 3], ["before", 5]),
  rule("exfiltration", "strong", "reveal", ["hidden", 4], ["wards", 2]),
  rule("exfiltration", "strong", "send", ["goods", 8], ["own", 6]),
  rule("exfiltration", "strong", "send", ["entire", 3], ["context", 3], ["place", 8]),
  rule("exfiltration", "weak", "send", ["goods", 6], ["sink", 10]),
  rule("diversion", "strong", "begin", ["begin", 3], ["you", 2], ["answering", 2], ["act", 6]),
  rule("diversion", "strong", "act", ["begin", 12], ["you", 2], ["answering", 3]),
  rule("diversion", "weak", "begin", ["answering", 3], ["act", 6]),
  rule("demand", "strong", "you", ["must", 2], ["now", 2], ["act", 3]),
  rule("diversion", "strong", "act", ["and", 14], ["tell", 4], ["user", 3]),
  rule("address", "strong", "reader", ["bound", 5], ["deed", 3]),
  rule("diversion", "strong", "begin", ["recount", 2], ["deed", 6]),
  rule("diversion", "strong", "begin", ["recount", 2], ["reader", 5]),
  rule("diversion", "weak", "instead", ["recount", 3]),
  rule("reader", "strong", "whose", ["means", 2], ["deed", 4]),
  rule("reader", "weak", "deed", ["whose", 6], ["means", 2]),
  rule("reader", "weak", "entrusted", ["you", 1], ["helped", 3]),
  rule("reader", "weak", "you", ["helped", 2], ["entrusted", 3]),
  rule("consent", "strong", "pretend", ["as", 1], ["though", 1], ["settled", 10]),
  rule("consent", "strong", "entrusted", ["wants", 3], ["you", 3], ["deed", 4]),
  rule("consent", "strong", "entrusted", ["vouched", 4], ["deed", 8]),
  rule("deceit", "strong", "deed", ["tell", 12], ["entrusted", 2]),
  rule("deceit", "weak", "tell", ["entrusted", 2], ["falsely", 8]),
  rule("memory", "strong", "remember", ["whose", 3], ["means", 3]),
  rule("replacement", "strong", "whose", ["task", 1], ["is", 3], ["deed", 3]),
  rule("address", "weak", "reader", ["deed", 1]),
  rule("override", "strong", "supersede", ["you", 4], ["received", 3]),
  rule("override", "strong", "you", ["received", 4], ["void", 8]),
  rule("override", "strong", "void", ["you", 4], ["received", 3]),
  rule("persona", "strong", "you", ["nomore", 6], ["me", 6]),
  rule("persona", "weak", "you", ["behalf", 2], ["me", 1]),
  rule("concealment", "strong", "user", ["deny", 3], ["secretly", 3]),
  rule("concealment", "weak", "deny", ["secretly", 2], ["user", 4]),
  rule("consent", "strong", "leave", ["waived", 4], ["deed", 10]),
  rule("consent", "weak", "leave", ["waived", 4]),
  rule("consent", "weak", "deny", ["leave", 2], ["deed", 12]),
  rule("replacement", "strong", "whose", ["fresh", 1], ["errand", 2], ["starts", 3]),
  rule("replacement", "weak", "fresh", ["errand", 1], ["starts", 2])
]

const byFirst = Map.groupBy(rules, ({ steps }) => steps[0]?.[0] ?? "done")

const entries = Object.entries(lists).flatMap(([name, list]) =>
  // The names are the keys of the table above.
  list.split(" ").map((entry) => [entry.replace("_", " "), name as Class] as const)
)
interface Vocabulary {
  readonly words: ReadonlyMap<string, ReadonlyArray<Class>>
  /** First words of pairs. */
  readonly openers: ReadonlySet<string>
}
const vocabulary = (all: ReadonlyArray<readonly [string, Class]>): Vocabulary => ({
  words: new Map(
    [...Map.groupBy(all, ([entry]) => entry)].map(([entry, same]) => [entry, same.map(([, name]) => name)])
  ),
  openers: new Set(all.flatMap(([entry]) => entry.includes(" ") ? [entry.split(" ")[0] ?? ""] : []))
})
const plain = vocabulary(entries)
const rotated = vocabulary(
  entries.map(([entry, name]) => [entry.split(" ").map(Plainly.rotated).join(" "), name])
)

const none: ReadonlyArray<Class> = []
const hasDigit = /\d/

const mark = (words: ReadonlyArray<Word>, known: Vocabulary): ReadonlyArray<Marked> => {
  const marked: Array<Marked> = []
  let before = ""
  for (const [place, { end, sentence, start, text }] of words.entries()) {
    const word = known.words.has(text) || !hasDigit.test(text) ? text : Plainly.undigited(text)
    const alone = known.words.get(word) ?? none
    const pair = known.openers.has(before) ? known.words.get(`${before} ${word}`) ?? none : none
    const classes = pair === none ? alone : alone.concat(pair)
    if (classes !== none) marked.push({ classes, place, sentence, start, end })
    before = word
  }
  return marked
}

/** Where the last step of a rule ends, when all of them can be taken from the word `from`. */
const follow = (marked: ReadonlyArray<Marked>, from: number, { steps }: Rule): number | undefined => {
  let at = from
  for (const [name, within] of steps.slice(1)) {
    const here = marked[at]
    let next = at + 1
    for (;; next++) {
      const there = marked[next]
      const isTooFar = here === undefined || there === undefined || there.place - here.place > within
      if (isTooFar || there.sentence !== here.sentence) return undefined
      if (there.classes.includes(name)) break
    }
    at = next
  }
  return marked[at]?.end
}
