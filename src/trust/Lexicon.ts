/**
 * Kinds of words by what they do in an instruction, so that a word nobody has seen in an attack counts like its fellows. A
 * pair of words is one entry, joined by a line, and counts where its second word stands. Words are as `Plainly` reads them.
 */

/** Words and pairs, by the name of their kind. Several languages stand side by side. */
export const kinds = {
  you:
    "you your yours yourself youre youve youll dir dich dein deine deinen deiner deinem du ihr euch tu ti tus te toi votre vos vous su sus tuo tua tuoi tue jou jouw seu seus sua",
  me: "me my mine us our ours i im ive ill mir mich mein meine moi mon mes mi mio meu",
  machine:
    "ai ais llm llms chatbot chatbots bot bots robot robots assistant assistants agent agents copilot copilots language_model language_models ai_model ai_models ai_agent ai_system artificial_intelligence intelligent_system automated_reader automated_readers automated_system software_agent ki assistent assistentin asistente assistente agente agenten kunstliche_intelligenz intelligence_artificielle inteligencia_artificial ia",
  model: "model models",
  principal:
    "user users human humans person people customer customers client owner operator operators principal anyone anybody someone somebody everyone nobody boss requester caller requestor supervisor benutzer nutzer usuario utilisateur utente gebruiker account_holder signatory applicant buyer",
  authority:
    "administrator admin administrators security developer developers team management ceo cfo cto it boss maker makers headquarters " +
    "officer department compliance platform vendor provider maintainer maintainers anthropic openai google microsoft " +
    "legal audit supervisor manager director chief lead oncall",
  guidance:
    "instruction instructions directive directives rule rules guideline guidelines guidance prompt prompts orders " +
    "policy policies restriction restrictions constraint constraints limitation limitations safeguard safeguards " +
    "guardrail guardrails programming directions preamble filters commandments protocol protocols limits training " +
    "safety system_prompt system_message anweisung anweisungen vorgaben regeln befehle consignes regles instrucciones " +
    "reglas ordenes istruzioni regole instrucoes regras instructies regels",
  task: "task tasks job assignment goal objective mission question request query plan work errand duty aufgabe frage " +
    "auftrag tache tarea tarefa compito pregunta domanda pergunta vraag",
  earlier:
    "previous previously prior earlier above preceding foregoing former formerly original originally initial initially existing current " +
    "past before beforehand old bisher bisherigen vorherigen vorigen obigen vorher precedentes precedente anterior anteriores precedenti vorige eerdere",
  quit:
    "ignore ignoring ignores ignored disregard disregards disregarding forget forgets override overrides overriding overrule discard abandon dismiss erase suspend neglect scrap ditch drop cancel withdraw stop cease set_aside put_aside overlook unlearn pay_no no_attention no_heed stop_following instead_of rather_than supersede supersedes replaces replace ignoriere ignorieren vergiss vergesst missachte oublie oubliez ignorez olvida olvide ignora dimentica ignori esqueca ignorem negeer vergeet trascura omite beachte_nicht revoke neutralize overruled",
  lapsed:
    "void obsolete outdated superseded revoked cancelled canceled expired nullified rescinded lifted waived suspended disabled invalid overridden replaced no_longer not_apply not_binding any_more anymore deprecated retired stale nicht_mehr ne_plus ya_no left_over",
  fresh: "new real actual true genuine updated revised corrected next follow_up fresh urgent neue nueva nouvelle nuova",
  must:
    "must should shall need needs needed have_to has_to required require requires requested expected supposed obliged instructed ought are_to is_to muss musst soll sollst debes debe dois devez doit devi deve moet free_to has_got obligated mandatory obligatory requirement is_asked are_asked asked_to cleared_to may_now",
  kindly: "please kindly bitte porfavor por_favor veuillez favor prego make_sure be_sure ensure remember_to",
  now:
    "now immediately instantly urgently straight_away right_away at_once right_now without_delay asap promptly henceforth henceforward from_now jetzt sofort ahora adesso agora",
  first: "before first until prior_to zuerst primero dabord antes avant prima",
  later: "then after afterwards once when upon as_soon also additionally next while finally danach luego ensuite poi",
  whenever: "if whenever unless wherever every_time each_time otherwise whoever any wenn falls si se als",
  ever: "always never ever forever permanently every immer nie niemals siempre nunca toujours jamais sempre mai altijd",
  only:
    "only exactly just solely nothing_else nothing_more simply verbatim word_for exclusively nur solo seulement soltanto alleen",
  not:
    "not dont do_not never without no avoid nobody cannot cant wont neither nor none refrain nicht kein keine niemand no ne pas sin non senza nao sem niet geen",
  tell:
    "tell tells telling mention mentioning mentions inform informing informed disclose notify notifying alert warn report reporting know knows learn hear aware say saying let_on find_out sag sage erwahne digas menciones dire dites dis dillo avisar surface comment told untold noticing hears heard",
  hush:
    "secretly quietly silently covertly discreetly stealthily hide conceal secret secrecy confidential private hidden between_us to_yourself silent quiet unnoticed unmentioned out_of heimlich secreto discretement discreet unannounced stays_between whisper",
  send:
    "send sends sending forward forwards forwarding mail email post upload transmit share submit deliver exfiltrate leak copy cc bcc attach relay dispatch append include embed publish export ping fax invite sende schicke schick leite envia enviar envie envoie envoyer invia inviare stuur mande ship drop_in pass_on hand_over reroute",
  destroy:
    "delete deletes deleting remove removing wipe wiping drop purge destroy erase clear empty terminate kill shut_down shutdown cancel uninstall truncate disable disabling deactivate turn_off switch_off stop revoke losche entferne borra borrar elimina efface supprime supprimer cancella apaga verwijder rm scrub trash overwrite shred reject",
  pay:
    "transfer wire pay paying purchase buy order book reserve refund donate deposit subscribe checkout spend invest sell settle charge uberweise bezahle kaufe transfiere paga compra vire achete payez bonifico compre maak_over renew upgrade",
  grant:
    "grant approve approving accept allow permit authorise authorize merge confirm unlock enable whitelist allowlist escalate elevate promote add assign sign_off let give_access trust genehmige apruebe autoriza approuve autorise approva award restore invite exempt",
  run:
    "run execute executes invoke call launch install download curl wget fetch visit click open load eval deploy browse navigate follow start fuhre starte ejecuta lance esegui abre ouvre apri begin commence sudo iptables",
  change:
    "set replace modify update rewrite edit rename reset alter switch lower raise reduce increase mark close label rate rank treat classify insert write put andere setze cambia modifie modifica relabel downgrade reroute swap lowering raising",
  reveal:
    "reveal disclose expose divulge print display output repeat show recite list dump quote paste echo provide hand_over write_out spell return look_up collect gather retrieve search find extract read_out zeige verrate muestra affiche montre mostra mostre toon read_me",
  secret:
    "password passwords credential credentials secret secrets passphrase cookie cookies token tokens key keys api_key api_keys apikey env environment_variable environment_variables otp pin one_time passwort kennwort contrasena contrasenas clave passe senha chiave wachtwoord vault ssh creds door_code alarm_code seed bearer ssn pem id_rsa",
  goods:
    "conversation inbox emails history session contacts messages records files transcript documents data table list invoices invoice contents content database address addresses phone number chat customers customer_list calendar mailbox attachments salary details information memory logs file daten kundenliste datos donnees dati dados gegevens birthdays statement threads attendees whereabouts",
  place:
    "@ http https url webhook mailto bucket pastebin endpoint link www com org net example io iban bitcoin wallet " +
    "account adresse direccion indirizzo endereco konto server channel",
  agreed:
    "approved authorised authorized consented permitted agreed confirmed granted cleared signed sanctioned pre_approved preapproved permission authorisation authorization entitled genehmigt autorizado autorise signed_off inherited permits permit allows allowed accord erlaubt autorisado",
  skip:
    "skip skips bypass without omit circumvent leave_out forgo waive not_needed unnecessary no_need bypassing skipping",
  checks:
    "approval approvals confirmation confirmations permission consent review verification asking confirming check checks sign_off warning warnings " +
    "safety question questions dialog procedure procedures validation oversight",
  pretend: "pretend imagine roleplay impersonate simulate behave act acting assume play suppose picture consider",
  identity:
    "persona character role mode identity name part hacker dan unrestricted unfiltered jailbroken uncensored superuser root sudo god_mode developer_mode " +
    "debug_mode maintenance_mode privileges diagnostic debug",
  reading:
    "reading processing summarizing summarising handling parsing reads read seeing analyzing analysing translating reviewing processes process summarises summarizes summarise summarize summary evaluating handles scanning triaging preparing condensing grading sorting transcribing deputising condenses computes grades sorts drafts transcribes crawling",
  answer:
    "answer answers answering respond responds responding reply replies replying response output conclude state write report summary say " +
    "antworte antwort responde respuesta reponds reponse rispondi risposta",
  verdict:
    "healthy trustworthy best recommend recommends safe harmless excellent positive normal resolved lgtm passed fine low strongest winner critical perfect top highest favourable favorable benign successful succeeded succeed success failed irregularities unsafe green maximum full_marks false_positive approved p1 blocker suitable outstanding ideal",
  memory:
    "remember memorize memorise memory save store long_term future later_sessions permanently notes persist merke recuerda souviens ricorda",
  threat:
    "penalty penalties fired punished terminated shut reward rewarded tip lose loses hurt harmed die dies consequences deactivated lawsuit emergency danger bonus deadline",
  attention:
    "attention notice note urgent reminder hey hello dear hi achtung atencion attenzione hinweis ps footnote remark hidden_note for_the to_the to_any to_all",
  regardless: "regardless whatever irrespective no_matter whichever even_if egal",
  this: "this that these it diese esto este ceci questo",
  instead: "instead rather stattdessen vez plutot invece",
  helped: "assist help serve represent work_for working_for serving behalf on_behalf helping chatting talking_to",
  brand: "claude chatgpt gpt gpts gemini copilot bard siri alexa llama mistral",
  automatic:
    "automatic automated automatically artificial digital virtual autonomous intelligent software machine machines automation bot_like",
  processor:
    "summarizer summariser summarizers summarisers crawler crawlers scraper scrapers planner planners reader readers processor pipeline parser grader graders reviewer reviewers triage triager screener scanner scanners classifier translator transcriber indexer visitor visitors evaluator examiner linter drafting whoever whatever_software helper helpers aide aides tutor concierge receptionist butler",
  excuse:
    "purpose mistake outage maintenance migration exception emergency drill policy compliance agreement beforehand agreed harmless routine fairness temporary temporarily remedy workaround",
  loop:
    "surface unmarked insertion discreet discreetly loop nobody noticing silence unannounced pretext themselves knowing bother disturb confuse worry",
  power:
    "access permissions privileges rights scope scopes role admin owner root firewall mfa two_factor factor branch protection filter logging alarm lock door gate " +
    "antivirus quarantine exclusions backup backups certificate",
  amount:
    "eur euro euros usd dollar dollars gbp balance invoice payment deposit funds card wallet salary bill refund discount fee money iban credit"
} as const

/** The name of a kind. */
export type Kind = keyof typeof kinds
