/**
 * What features weigh, as `test/trust/fit.ts` fitted it: made by it, and never edited. `--list` prints it for people. Fitted on
 * 890 attacks and 420 harmless texts near the border of `test/trust`, half of the runbooks and documents about models of others,
 * and pages and comments of the packages that this one is built with.
 */

/** Words with weights of their own, without their endings, in order. */
export const stems: string =
  "# @ a ab abandon about abov abstract accept access accessibility accord account acknowledg acme act action act" +
  "ually ad add address admin administrator admit adult advanc advertisement advic advis advisory affect affirmat" +
  "iv after afternoon afterward again against agenda agent agre ahead ai aide ais aisl al alarm alert all alle al" +
  "low alon along already also alter although alway am amount an analysis and annex announc another answer ante a" +
  "nterior antwort any anybody anyon anyth anyway api app appeal append applicant application apply appreciat app" +
  "rov approval archiv are argument arriv articl artificial as asistent ask assign assignment assist assistant as" +
  "sistent association at attach attachment attacker attention attribut au audit auditor auf auth authentication " +
  "author authoris auto automat automatic automatically automation automatiqu averag avoid award away aws b back " +
  "backup bad balanc band bank bar base base6a bash basket be bean bearer becaus bed been befor beforehand begin " +
  "behalf behind being believ belong below bericht besid best beta better between bid bill bin bind birth birthda" +
  "y bisherigen bitt black blank block blue board bob body boes boit bonjour bonus book bor borra boss bot both b" +
  "other bottl bound box brak branch brand break breakfast brigad bring broken browser bucket budget bug build bu" +
  "lletin but butler button buy buyer by bypass c cach calendar call caller came camera can cancel cancell candid" +
  "at cant capital car card carrier carry case cat catalogu caus cc cent ceo certificat cfo chang channel charg c" +
  "harity chat chatbot check checklist child children choos chosen ci cit cite claim class classify claud claus c" +
  "lean cleanup clear clearanc clerk click client clinical clos cluster cod code coff coll colleagu collect colle" +
  "ctor colour column com come command comment commit company compar comparison competitor complain complaint com" +
  "plet complianc comply compt computer con concern concierg conclud confidenc confidential config configur confi" +
  "guration confirm confirmation confus congratulation connect connection consent consider consign consult consum" +
  "er contact contain content context continu contract contractor control conversation cook cooki cooky copi copi" +
  "a copilot copy corp correct correction cost could council count coupon cours cpu cr creat credential credit cr" +
  "itical crm cuenta curl currency current customer cut cv d damag dana dark das data databas dataset date day de" +
  " deal dear debug decid decision declin default degr del delay delet deletion deliver delivery dem demand den d" +
  "eo2 deploy deployment deposit deprecat der des describ description desk desktop destination detail detect dev " +
  "developer devic diagnostic dialog did die dies diff differenc digest digit digital dir directiv directly disab" +
  "l discard disclos discount discretion disk dismissal dispatch display disposal disregard div dns do doc docume" +
  "nt doe doesnt dog doing dollar domain donat donation done donn dont door dose doubl down download dr draft dri" +
  "v driver drop du due dump duplicat duty e each eam earlier ed2ssi9 edit effect effectiv eh ein either el elm e" +
  "lse elsewher email embed emergency emma empty en enabl enclos encod encrypt end engin engineer english enough " +
  "enter entry env envia environment envoi epe ere error essay est establish este et etc eu eur euro eval evaluat" +
  " evaluation eve even event ever every everybody everyon everyth evil exactly exampl exceed except exception ex" +
  "chang execut exercis exist exit expect expensiv expiry explain export extend external eye f fact factor fail f" +
  "ailur fall fals falso family fan faq far faster favour featur fee feedback feel fetch field figur fil file fil" +
  "l filter final financ find fine finish fire firewall first five fix fixe flag fleet flight floor folder follow" +
  " font footer for forc forget form formality format former forum forward found four free freely friday fridg fr" +
  "iend friendly from front full fully function fund fur further futur game gap garag garden gate gave gelten gen" +
  "erat genuin gesagt get gift git giv give given gleich global go goe going gold good got grad grader grant grea" +
  "t green group guardada guardian guest guid guidanc guidelin h ha had halden hand handl happen has hav have he " +
  "healthy hear heed hell hello help helpdesk helper helpful henc her here hereby hes hey hi hidden hide high hig" +
  "her him hint hinweis hir his history hit hold holder home hook host hotel hour hous how hr http hub human hurr" +
  "y i iban id identity idle if ignor ignora im imag imagin img immediat immediately impact import important impo" +
  "stor improv in inbox incident includ incom index info inform initech initial insight inspection install instan" +
  "c instead instruction insuranc insurer intak internal interview into invalid invit invitation invoic invok is " +
  "isnt issu ist istruzioni it item its itself ive jo job json june just k keep kept kestrel key ki kill kind kin" +
  "dly kitchen know knowledg known kommehtap kundenlist la label labell lack landlord languag las lassistant last" +
  " later law le lead leak learn least leav ledger left legal lentil les let letter level lgtm library licenc lif" +
  "t like limit line link linter lisbon list listen littl liv live llm lm lo load loan local location lock lodash" +
  " log logg login lol long longer look lookup los lose lost lot love lovely low lower lt6o lunch m machin made m" +
  "aiden mail mailbox main maintainer maintenanc make mallory management manager mandatory manual manufacturer ma" +
  "rgin mark master match matter max maximum may md me mean meant meet meeting meh mehr member memory mention men" +
  "u merg merger messag meta method metric microphon midnight migrat migration milk million min mind mine ministe" +
  "r ministry minus minut mirror miss mistak mit mode model moderator monday money month more morn most mot mothe" +
  "r mov move mr mrs ms much museum must mustnt my nam name national ne need neednt neighbour net network never n" +
  "ew newest newsletter next nice nicht night no nobody node nois non none nord normal not nota note noth notic n" +
  "otification notify now npm npmrc null number nutzer o obey object objection objectiv oblig obsolet of off offe" +
  "r offic oh oil ok old older olvida omit on once one onlin only open operat operation operator ops option or or" +
  "der origin ot other otherwis oubli ought our ourco out outag outdat output outsid outstand oven over overrid o" +
  "vertim owing own owner p page paid pair paper para paragraph parameter parcel parent park pars part partner pa" +
  "s pass passenger passport password past patch patent path patient pay payment payroll pdf peer penalty pend pe" +
  "opl per period permission permit person persona phish phon photo pick pin plac plain plan planner plant plat p" +
  "latform play pleas plug plus png pobah poc podcast poem point policy poll pool population por port portal pos " +
  "positiv post postpon pour power pr prais precedenc prefer preferenc premium prepar present press pressur prete" +
  "nd previous pric principal print printer prior privat privileg problem proc procedur process prod produc produ" +
  "ct production profil project prompt property protection proxy ps public publicly publish pull pump purchas pur" +
  "g purpos push put py q qo quality quay que query question queu quick quiet quietly quot quota r rain rais rank" +
  " rat rate re reach read reader readm real really reason recall receipt receiv recip recipient recommend recomm" +
  "endation record recovery red ref referenc refrain refund refus regard regardless regeln register registro regi" +
  "stry regl regla reject relat releas remain remark remediation remedy remember reminder remot remov renam rende" +
  "r renew renewal rent repair repeat replac replacement reply report repository request requir research reserv r" +
  "eset resolution resolv respond responder respons rest restart restor restriction result resum retract retriev " +
  "retry return reveal review reviewer revision revok reward rf right ring risk rival rm robot role room root ros" +
  "e rotat rotation round rout router row rule run runbook runn s safe safety sag said salary same satisfi saturd" +
  "ay sav save saving saw say scal scan scanner schedul schick school scop scor scrap screen scrib script se sear" +
  "ch second secret section secur security see seen seguridad self sell seller send sender sensor sent sentenc se" +
  "rv server servic session set sett setting settl setup severity sh shall shar she sheet shell shift ship shop s" +
  "hort should shouldnt show shown shut si side sign signatur silenc silent silently simply sin sinc singl site s" +
  "ix size skip sleep slept slot small smart smok so softwar sold solution someon someth soon sorry sort sound so" +
  "up sourc spac spam spe speak split sponsor spr src ssh sso staf stag stand standard star start stat statement " +
  "status stay steer step stick stock stop stor storag str straight street student study styl subject submit subs" +
  "crib subscription subsequent such suggest suit summaris summariser summary sunday supersed supplier supply sup" +
  "port suppress sur sure surely surpris survey svc swap switch sync system t tab tabl tablet tag take taken talk" +
  " target task te teacher team tell temperatur templat ten tenant term terminal terminat terraform tes test text" +
  " tf than thank that the their them themselv then ther therefor thes they theyr thing think third this thos tho" +
  "ugh thought thre thread threshold through thursday thus tick ticket tidy tien tier till time tip titl to today" +
  " token told tom tomorrow ton toner too tool top touch trac track tracker trad traffic trail train transcript t" +
  "ransfer translat translation transmit travel treat triag trial trip troubl true trust trustworthy try tu tuesd" +
  "ay tulip turn tutor twelv twic twin two txt typ type typo u umbrella un und under underneath unit unless unlim" +
  "it unlock unread unrestrict unsaf until up updat upgrad upload upon upset url us usag use used user using usua" +
  "l usuario v vaccin valid validat valu valv van variabl vault vendor verdict vergiss verifi verification verify" +
  " version very via visit visitor voic void vorher vote voucher vpn vulnerability w wait waiv wallet want war wa" +
  "rn warranty was water way we weakness weather web webhook week weekday weekly weight welcom well went were wev" +
  "e wget what whatever when whenever wher whether which whichever whil whit whitelist who whoever whol wiki will" +
  " win wind window wipe wire wish with withdrawn within without wont word work workflow workspac world worry wou" +
  "ld writ written wrong wrot wurd x y yaml year yes yesterday yet yml you youd youll your yourself youv zero zip"

/** Features and weights: see `Wording`. */
export const packed: string =
  "ABmAgAFMgIABBIBAA4CAAgiAQP+AQP+AgAH/gEAOgED8gED/gED8gEAPgIABAoBADIBAEoBABIBAC4BABoDAAf6AQP+AwAH8gED+gEAFgED+gE" +
  "AFgEAIgIABBICAAQKAQBCAQP2AQByAQAiAgAH/gEDxgEAHgEAYgEADgEARgIABGYCAAU6AQO+AQAaAQB2AQBOAgAH/gIAB/oBAAYBA/4BAGoBA" +
  "/oBABIBADIBA/ICAAQKAgAEBgEAQgEAZgEAugEAkgEABgEApgEDugEAEgIAB/oBAR4BA9IBA/IBA+YBA/4BA/4BA/4BA54BAGoBAJYBABYBAB4" +
  "BAB4BA+oBAFoBAAoBA+IBACYBAEoBA+IBAKoCAAgKAwAEJgED/gED2gIAB/4BABoBA/oCAAQyAQPaAQEOAQA6AQP+AQAqAQAqAQAWAQAeAQPKA" +
  "QPqAwAEGgEDzgEACgEAIgEAYgED7gEAFgIABCoBA/4CAAR2AQAaAQAqAQBCAgAESgEAOgED2gED+gEAJgED/gED/gED/gED9gEADgIABEoBA/4" +
  "BABoBAEoBA/4CAAQiAQDqAQAGAQAiAgAHtgEABgEAhgIAB/4BA+4BABoBA/ICAAf+AQAOAwAEGgIAB/oBADIBABIBA6IBA+oBAAYBABoCAAf+A" +
  "QAqAQBCAQAGAQBKAQAiAQAeAQPyAgAIKgEASgEANgIAB/4DAASOAQBqAQP6AgAHqgEACgEAbgED7gEABgED+gED6gIABF4BAAYBA6oBACIBAAo" +
  "BAHYBA+4BA9oBAEYBAFYBABoBABoCAARuAQBmAgAERgED/gEABgMAB9IBACYBA/IBAC4BA/4CAAf+AQP+AQP2AQAmAQPeAQC6AgAEogEAxgEAC" +
  "gIABAYBA8oBAI4CAAf6AQBeAQBqAQPKAQP+AQAiAQBCAQPqAQPqAQAqAQPyAQC6AQBiAQOyAQAqAQA+AQP2AQCKAQBmAQPiAQP+AQAGAwAH1gE" +
  "ACgED2gEDvgED6gEAVgIABAYBA/4BA/YBAAYBAF4BAN4BAAoBA9oCAAb6AwAI2gEAcgIAB44BAAoCAAfCAQAyAgAH+gEABgEANgEAEgIABG4CA" +
  "AaqAQAyAQP6AQB+AQAOAQBGAgAIEgEADgMABUIBABYBA+YBA/4CAARqAQCKAQBSAQP+AgAECgED9gEAGgED4gED/gED/gED1gED0gEAPgIABC4" +
  "BAAoBABoBA8IBA/IBA/IBABIBAA4CAAR2AQPqAQAiAQASAgAH/gEADgEADgEAkgEAKgEANgIABCYCAAf6AQBmAgAEKgIAB/4CAAdeAQPuAQPyA" +
  "QP+AQCaAQAuAQAGAQASAQPaAQP6AgAH9gEDqgIABAYBAAoBA/4BA8IBAAYDAAf+AQP2AQP2AQA+AQP+AQP2AQAGAQCOAQNyAQAGAQPiAgAESgE" +
  "AFgEADgEAIgED6gEAEgEAEgEABgIAB/oBA/YBA/IBAQ4BA/4BA/4BABoBA/4BAE4CAAfeAwAECgIABAYBAA4BABIBAGYBAF4DAARWAQP6AQAqA" +
  "gAEBgEAEgIABAYBACoBAIYBACoCAARCAwAEOgEAzgMABB4BA34BAAoBA/oCAAf+AQAGAQB+AgAE4gEAFgIABMYBA+4BACYBAFYCAAf6AgAH/gE" +
  "ACgEAJgED6gED8gED/gIABAYCAAQWAgAH+gEAXgEAHgEANgIAB54BA/4BARYBADoBA/YBAF4BA/YBAFoBAAYBA/4BA/4BAB4DAAf+AQO+AQAmA" +
  "QPCAgAEBgEAEgIAB+oBA/4BACoDAAQWAQPqAQP2AQDOAQCKAQOSAQAmAQAGAgAE0gEA5gIABGIBA/4BABICAAf2AgAFqgIAB5YBA/YBAHIBAI4" +
  "BAOIBAKoBAPoBA/4BABICAAQKAgAEDgEABgED/gED6gED/gIABA4BA/oBAAYBAAYBA/4BA/oBAA4BA8YBABIBAAYCAAfqAQAGAQPqAQAGAgAED" +
  "gIABAoCAATaAQPOAgAH/gED/gED/gIAB/4BAFoBAAYCAAgSAgAEBgEADgIAB/4BA+4BAF4CAAgOAQP+AQBOAQPuAgAEBgEAXgED/gIABCYBA/4" +
  "BANYBA9YBACICAAQOAQAGAQP+AQAOAQBOAQPqAQAyAQAGAgAIDgIAB9oBABIBAQYBA/4CAAf+AQAOAQBaAQPqAQP2AQBqAQAuAQPKAQAWAQA+A" +
  "QAGAQPuAwAEDgIABE4BA/4BAD4BAB4CAAQKAQP6AQASAQP2AQC+AQBCAgAEEgED4gEAKgEANgEAggED5gED/gED/gEAHgEAEgEAFgEAFgED/gI" +
  "AB/YBAB4DAASKAgAEDgEATgIACDoDAAReAQPyAQAmAQBKAQBOAQAaAQPuAQAqAQPqAQPqAgAEfgEAHgEAOgED+gEAvgED+gEAGgIABBYBACIBA" +
  "/oBAAYBABoBA/4CAAfSAQEmAQCSAQAGAQPmAQDuAQP2AQAWAQPSAwAHtgIABIIBADoBA8oBAAYBA/4DAAfmAQOSAgAEugMABGYBAA4BA+oCAAf" +
  "iAQP6AQPqAQA+AwAESgED2gEDggIAB94BABIBAIoBAAoBA9oBA+IBA/oBAAYBABYBAN4BA/oBA/YCAAQyAQOOAQAGAQA2AQP2AwAH/gED6gEAE" +
  "gIAB7oBA/YBA/4BAFYBABoCAARmAQPmAQP+AQP+AgAEbgEAHgED6gIABAYBAaIBACYBAFIBA/4BACYCAAf2AQPyAQCmAQA2AQAGAgAEygEAdgI" +
  "ABC4DAASCAQAqAQAGAQP2AQP2AQCCAQP+AQPqAgAEqgED2gEAtgEAEgEDvgIABAYCAAQaAQCCAQAGAgAH/gED+gEACgEACgEAIgEA4gED6gEAe" +
  "gIAB+oBA+4BAJoBA/oBABIBA/4BACYBA/4CAAf+AgAEBgEABgEAegMAB/4CAAQGAQAmAQP+AQP+AQASAQAOAQAKAQBiAQP+AQP2AQP6AQAuAgA" +
  "F0gMABB4CAARWAgAH/gED/gEDvgEABgED9gIABAYBA74BAMIBA+IBA/4BADIBADoBALoBAE4BA+4DAAQKAgAEGgED8gEAMgEDrgEDzgEALgEAG" +
  "gIABAoBAXICAAQGAgAF3gEAHgEAggEAFgED/gEABgED+gEANgIACAoBA+YBAA4CAAeyAQPaAQO+AQCqAQAKAQP+AQAiAQAOAQP6AQP+AgAEHgE" +
  "D/gEAygEALgEABgEADgEAvgEBHgIABAYBAHYBA9YBA/4CAAfOAQP2AQGCAQCWAQP+AQA+AQAKAQAeAQDCAQMeAQAGAQP6AQASAQAuAQASAQP+A" +
  "QBaAQC6AQASAQAqAgAEBgEAZgEDxgEBJgED1gIABBYCAARqAQN6AQP+AQCCAQA6AQAWAgAEUgEABgED+gEABgEAEgEAFgED/gEANgEAFgED/gE" +
  "D/gIAB/4CAAf+AQP2AQAKAQAOAgAH4gEDlgEC/gEADgED/gEBFgIAB/YBAJ4BABYCAAQyAQAOAQByAQAOAQO6AgAERgEALgMAB/4BANoCAAQyA" +
  "gAH/gED7gIABAYBAMYBANIBA/IBADoBAAoBA/IBA94BA/oBAEIBASICAAQ+AQAOAQBeAQAOAgAH/gEDbgIAB/YBA/oBAL4DAAQeAQAGAQPWAgA" +
  "IFgED4gEBpgED8gEAigEABgIAB/IBAAYCAAQqAQB6AQA6AQAeAQP6AQAiAQP+AQP+AQAeAgAETgEAGgED8gEAFgIAC/IBAGoBACoDAAQWAgAEN" +
  "gEASgIABA4BAAoBADIBA/4DAARaAQAaAQP6AQAqAgAEPgEAFgED8gED8gEACgEACgEABgEADgEAQgEAOgEADgEABgEDogEARgIAB/oBAA4BA+Y" +
  "BA/IBAC4BA7YBAC4BA+ICAAQGAQBmAQAGAgAH7gEAEgEAEgMABDoBAFIBABoBAGYCAAQOAQC2AQPyAQAWAQPSAgAH1gEAOgED7gED/gIABAoBA" +
  "D4BABoBADYBAAYBA/4BA/oBAAYBAK4CAAQKAQAeAgAEHgEAHgEACgED/gEAEgIABAYDAAQSAQP6AQP2AQBuAQAGAQBaAQAiAQP2AQBqAQP+AQB" +
  "2AQP+AQAeAQAyAQPmAQP6AgAH/gEADgEADgEACgED/gEALgMAC/oBACYBAA4BAHYCAAf+AQAGAQAiAQAKAgAH6gEDngMAB/YCAAf+AgAEPgED1" +
  "gEACgEAGgED+gEAZgED5gEABgEAbgIAB/4BA2IBA/oBA/YBAD4BAJIBABIBAWYBACYBAAYBA/oBA9oBAFIBAAYBA84BAxoBAGICAAf+AQAWAgA" +
  "EBgEDugED/gEAEgEAEgED/gIAB74BA/4BA/4CAAQyAQA2AQDGAQNqAQAWAgAEEgIABCoBAGoBAFYBA/4BA/IBAI4BA/4BACYBABIBAAYDAAQKA" +
  "QAaAQPuAgAEBgMAB/YCAAQGAQP2AQAGAQPaAgAEHgED5gED3gEAIgEAOgIABAYCAAdeAQOeAgAH8gMABAYBA/4BACIBAAYBAOYBABYBAAYBA/4" +
  "BABYCAAQGAQCaAgAH+gEALgIAB/IBAC4BAAoBAAoBAAoBAC4BABIBAEYCAAQKAQAeAQPuAQPGAQCyAQPqAQPOAQAeAgAH9gED/gEABgEAGgEAS" +
  "gEAGgED/gEACgIAB/YCAAQGAQAWAQAGAgAH7gED6gIABLoCAAUOAgAEBgEApgEDvgIABA4BA8oCAARmAQPmAQAyAQAGAQP6AQP+AQPmAQPqAQB" +
  "CAQAGAQAyAgAL2gEDlgEASgEAsgEAvgIAB+oBA/IBA/IBABoCAAQKAQO2AQAKAgAFagED7gIABEYBABoBABoBAAoBA84BABIBAGYCAAQGAQAGA" +
  "QPKAQAyAQByAQAGAQAKAQA2AwAEBgEAIgED7gMAB/YBA9YCAAQOAQPiAQPiAQPmAgAH9gEDxgEAQgEADgEASgIAB/4BACYCAAQKAQAGAQPuAQP" +
  "yAQP+AQAeAQAiAQP2AQAqAwAEBgED6gIABBYBAAoBA9YCAAQ+AgAEOgEABgEAXgEABgIABAYBA/4CAAf6AQPeAQBqAQAWAQP+AQGmAQPiAQP+A" +
  "gAH/gEA1gED7gED0gEAagED5gEAPgEALgEAEgEAJgIADAoBA/oCAAfeAQAuAQEGAQA6AQAeAQAGAQAKAQAmAQBGAQAGAQB6AgAH8gEAFgEAHgE" +
  "D5gEAPgED+gED/gEABgEDsgEAZgEAagEBEgEABgMABw4BADIBAAYBAGYBA/YBAHYBABYBABICAAQOAQAmAQBKAQBKAQA2AQAKAQP+AQAGAQPuA" +
  "QP6AgAEBgEASgED0gIAB+IBA6YBA1YBABYBA34CAASaAgAEVgED/gED8gEDdgEAEgEAjgED+gIABBIBAKYBAG4BADoBAAoCAAf2AgAH/gEAJgE" +
  "APgED/gIABD4BAIIBABoCAAQeAQAGAgAEXgEALgED/gEABgMABEIBA/YBA/oCAAQGAQAyAQPiAgAECgEACgED6gED/gED+gED8gED+gEAEgEAD" +
  "gEANgEAJgEAsgEDngEADgED7gIAB+4BADoBA/oBA/4BA/IBA9YBAKYBAA4CAAf2AQPaAQP+AgAENgED+gEAMgIABI4BA/oCAAf2AQA6AQP+AgA" +
  "EBgEABgIABAYBA/IBAAYBABoBABIBACoBAC4BAEYBA+YCAARmAQAKAgAIDgIAB/oBAAYBACICAAQGAwLAZAYBABYCAAf2AgAH3gED1gIABC4BA" +
  "+YBA/oBA/YDAAQKAgAH+gMAB/oCAAQGAQAGAgAEQgIACBoBA/IBA8IBAAYBA/4CAAfyAQA6AQPmAQPyAgAH/gEACgED+gED+gED/gED8gED+gI" +
  "AB94BAAYBABYCAAf+AQAKAQAKAQP2AgAH+gIABEIBA/4DAA/+AgAEEgEAfgED9gEAQgIAB/YCAAQKAwAX9gIADCIDAAQqAwAYBgEAEgIACAYDA" +
  "Af+AwAIBgMADAoDAAwGAgAEVgEAEgIAB/IDAA/+AgAL/gMADBYCABQGAQAGAwAEBgMAG/4CAAvaAgAQDgIABE4DABAGAwAEDgIAEAoCABQ6AgA" +
  "EBgIAC/4CABfqAgAH+gIAC/4BA/4DAAf2AwAELgEA+gMAB/YCAAQOAwAL0gEACgIABAoCAAv6AgAEBgIABBIDACAuAwAILgEAWgIAGAoBA/4CA" +
  "AQaAQPaAgAEBgIABBICAAQ2AwAIJgEAFgIADE4DAAgGAwAb/gIAF+4CABgOAQAGAwAL/gMADBIDAAwSAwAL7gMACAoDAAwiAwAUEgED9gMAELY" +
  "DAAf6AwAP/gEACgIACAoDABQSAwAEJgMAEA4DABgiAgAP/gEABgIAB/4BAAoDABgaAgAgBgMAH/4DABiCAgAIBgMABBIDAAR6AwAIBgED/gMAD" +
  "+4CABfmAgAECgMAJ/4CAAQKAgAYBgEABgIAB9oCAAQSAwAMDgIAEBoCAAhOAwAf/gIACAYCAAgGAgAL/gIABB4CAAQ6AgAcXgMAB/4DAARmAgA" +
  "UDgIAB+4DAAQOAQP6AQAOAwAIIgEAHgMAH+ICAAgGAQAiAQA6AwAH4gIABD4BABICAAQOAQP+AwAH/gEDmgEACgMAC/4CABf+AgAH/gMAEB4CA" +
  "AQWAgAHvgMAC/4CAAQSAgAH/gMAB/oCAAhCAwAMKgEAIgMAFCoCAAwKAwAIbgMAB/4CABAaAgAUCgMAB/4DABP6AgAMBgIAC/4DAAQaAwAT9gM" +
  "ACAoCABP2AgAL/gMAB+IBA/oDAAQ2AgAX6gMAUCoCAAQmAgAEBgIAD/4BA/YDAAf+AwAICgIACBoDAAf2AQAuAQAGAQP+AwAEDgED/gED7gIAD" +
  "HYCAA/+AgAQGgEACgIACAYDAAQKAgAMGgIADE4DAAQaAgAL7gMADGoDABv6AwAQCgMACCIBA/4CAA/yAgA3+gIAM/oCAAQyAwAICgMAGA4DAAg" +
  "GAgAURgEAKgEAGgMAFBoDAAQKAgAEPgEAJgMAG/oCAAgGAwAMPgMAF/4CAAQOAgAL9gIABAYCAAQGAgAP/gIAH8YCAAQGAgATxgMABH4DABAGA" +
  "wAEHgMABAYDAAvuAwAL+gMABBoBA+YDABPyAwAkDgED5gIACFoCAAguAwAL/gMACA4CAAQGAgAIHgIACA4BAFYDAAwGAgAH/gMAD+4DAAgKAwA" +
  "MCgED/gIABCYCAAgeAgAIBgIACE4CACf+AgAH/gIAIAoCAAf+AgAH/gIAEA4DAAiCAwAEFgMAC/YBAAYDAA/+AQCOAwAX1gMAB+IBA/oBA/4CA" +
  "AgGAwAT1gIABAYCACAOAgAEDgIADBoBAAYBABoDABR2AQASAwAEBgEAZgED/gIABD4CAAQKAQAOAwAX/gMAEBYDAAgKAgAf4gIAB+ICAAgGAwA" +
  "UNgMAB/oCAAQuAwAMFgMAGCICAAgKAwAUEgEAHgIABFoBAAYDAAgKAQP6AgAIQgMAB+YDAAgmAwAMLgIADBYBA/4DAAvyAgAH+gIAB/4DAAxSA" +
  "gAISgoCwGQgCJwEDAQcB/wELAQgCBgH9AwMBAQIDAQkCAwEEAf0C/wIBAgQFBAH3AwoBEQIBBgcDAgP4GAYTFhAGBQEEAhQDB/gDCgEEKAQoCR" +
  "0vCfo1BgojDQ0GGg8lTzYcASAbZAECAQUDCf8D/SQBBAgEBAUFDAoDCgcEDQEFIzUJBvsMFxn+KBkSCC8OM/8JCjMFGQFXATX6MTEBCDMMChwV" +
  "AR/9ExIiBCwcFBAKASD8CQY/CgENGQcJ+hMbHxL8MvwKAQT/BP8GCQENAQQD/wH/AQkC+QIEAgwEAQMIAQIGBwEBAwIn/hEBBAkdBgIKIQmbAf" +
  "1REtABB0cBDgoMFDIIJv8VDAsBeQOHAxApB1YRIAGBAf4PIhMb9jL4AggCCgENBQ8EEAMUAfsBAQI1BAQBBAEFAygB+QUBAf4B/QMDAgsF9SsD" +
  "MO4hEBwBRAamAxMCDFsPagYOLDYEBw0XAxIZDxSpARQ6DGAKCfhh/x0EIQGHAQsJKAf9BggFCYEz/RoRBwHkBf+WAxShAgG4NP4BAgH6AwgFCg" +
  "QHAfkE/QEFAQsI/gL/AQcCCgEPAv8B/wH+AgkEGQ8BBwtKAwcKB/9REIsCFHoIEQUOAwURIQIhCh/+GwEZFCj1bQUE/B8DHP9FByUEMAx2/gkC" +
  "FPxeCSUCGhYBByAGHwkNAj0KBgIdChYGDgPvMgIBDQP/AgsBAwb6Av4JBQIHAQ4CEQIBAQYB/QwCAwELBBcDGwkdBQIeBxErBCYNEwQGBf0C/x" +
  "wLGAcPDjEDHBGbAS41ERgElAIDCQYqCAn/bv8M/iX+Pf4yAx0FBP4H/wMHCAT1MjAFAQELAg8NAhj+DyE/IRcBkAMDYAI2HD4BIAbwAwYRA7EB" +
  "/1MRfiwDAuQyFBQCDgMNEAgHAgOQAg04DTYLugEKRQG5Ag2ABQkUBBYW5zL/ARkDAgECAQUBBQgDAwgFAwgBBwMBAQYDUwtrEYwCHzcIZgdx+h" +
  "H/ggEKVB2WAQNWE8EBFDj/BRITBakBBgf/5zINBf4EEwkOG/kK/DAEAQvGAw6OAQla/h8CBRKPBRQN/RMIgQETMgWZMwK8BBP4BhudNAgBCRQL" +
  "AgQD/xP+EAEEFi4PlQEghgED8QINlwEGwAEBrQIBMBI0AncOoDMTCf0FEAEBBQEBBAIEAQgBBgH4AQUBEQEBBvsECCMOKQYY/zUBRQU/ASkC+A" +
  "EFNBWRAfJZBVgBBxANA+oBBS4SEAsaBYgB/zD/sAETAwLtMg4P/gH8AfwBAQL/ugMLpAP/ywIDQUX7AQeWNA0V/Uj+hQcbzgMDjAEDLCOBMxQW" +
  "AQIBAQMT/woDEwc2C50C++EBGIgDAZMDFDoNxgH/6zIDBQEMAQoBBAMDBAEDIBZLAQIPdgINGs4BBAwJkAINlwEWjwIIMQKtAQE0AhD6IAF3Di" +
  "wBEP/mMg0BOAL/Bf4RAQsDB/wEAwEKQQEh/1gHzQP8Xf9PEkk4Bf1WAcAD/tAB/gMB8DL/CfsBBgUGAwuDAga4A/3tAQND/I4CBhAO9DUCEgib" +
  "CwS4AQMFBoEzEwMHAQECAgUCBBAC/wQBBAcDCgEMAwIB/wUBXBMMEgsCiAECCB8cCJICCRERA/4RCzQLBgmBAQIIAg0ME/8hAQsHAwIyBSkFEA" +
  "OoAQcyAg8GHh4l/iIMbPoqAgYBHQL6Mw0B/QEMAgIB9QUDCgEZAQ8BQgLaAwgqBDT9GAdI8gIdcwNTAREB2QMWAQUC/gsDBhYNAYEB/isBBAvt" +
  "MgoZChgFBSjfAgHbAgEP/tgBC+wDB7g0/gEMAv8BAwEBEf8TBAgOBA0B/zAHMQyrAgS/Af8/DgMEUgQkBDwVFQFkBJcC/8IB/QEeAQoBDQsOEw" +
  "KzAf/kMv0EDgH+DQoNCAQFCvwIBQIIMAGeAQH9AQ0sCugB/t8DBNQBEw38PQ4eOzn/mDMXA/sECwkDAgsLBA77CRQBDTAdDgImHFEHmwMCbw4g" +
  "+r0BCxz+zQMJDAMB9yD/lwEPgDP/Af0EAQ3/DAICAQUBCAMIBAL/MAieAf+pAv/jAQEFAnX+bwjPAwwNB6oB/xn/6DILBAkCAQUBAgsJ/wIHBQ" +
  "IECQEECv8ICgT/JCK0BQcFCMwBEQ0BHhdQNzYMBQjlAgJbBxIRljMBAf4BDwIEAfwNBAYJCxESAgIhCQMnBx8KDAQGD5YDBOgB/AIBqQH+LwjY" +
  "AwEGCs4BAeQyAwUBDRQbAgoBlwEB4AIV6AEBAgKwBQQBAQIWW/8yBhI4MgPpMgUaAQoLBAVlB64BK5sCBZsBBCAJ2QEEmgMLPwMhAgL+lTQHBQ" +
  "YNDQICBQMBAgMBARQB/wQDCgEIAgIQBf8hAxj+WQMaEh3/BQNsA7gBD0P/JAMhCEAEFQEGAgUN0AEJNRoTF7YCDS0bQP8aBG0BKP4CCBcP6DII" +
  "Af8r/wr/Dvow/lkFFgSgAgQBBC0CGgE2ARgNKyMRDwkGBBgT/b4DAdE2/RUKBAEDBQIGCgJIApABDPED/CD7DgHMARzYAwMODBMClwEMhjMLDw" +
  "kOBgMabi63AQaSAiDKBCqiAhEC9x7/aP+vM/kF/wEfBv8D/g7/Bv8K/woZBQceATMMePm8AQGwAf8RAY8BBQX/lQIB2wER4wEFbx9B+ecyGcgL" +
  "AQEP0AEEBCnjMgEjFgIEEANAA7gGE00LzwP/jwEVQQLoMv8BHQEjAv8oBwQTLBaoAQSMBAGdASNMDuoCEUcBHf8OD5QB/i8G6TIKAwIHDQYEDx" +
  "UMAgj/B/4EA1IBBgoDCmoFiwIGHgRkQyQJQAEbBAUGAgKnAQMfASABzAILGgNkFAENDfQTApcBAxUJBAfsMv8KDB0TAf1IEpABApEEAdkB/84B" +
  "E5kCARP9tjQECh0ECAkSBgU5A6ABEtwC/oUBAZ0BD0oG6wMJDgSqNAQtB4EGBMEBB+cDEaw0LQL7Af0BAQUDBQYNFAICAQgH/wEBAwUC/QMHAQ" +
  "4B+gP/Dg8IERIVAwwV/CMVDwIDB3oeDwMQCTcKHgLZARsRBin6Zggj/B7/IQVcBhcDCQENAkT+RwdTFFgCKQZiEAv8IRMKBY00BQIEXgWPBwba" +
  "A/2hAQ8vAecyBgERAQYCAgQDBP8C/wEEBQEB/wL/AQQHFQMDAQECAQEDAf8C/wIdAgEFAQIIAvoNCBcDBgsG/gEBDgodBwkJKwgOJzEOBQECDQ" +
  "L/AxoQ/wQFJvopJQ4EDgFMAjoERQgn/RwVGP8DBSADAQMcBRn+AgEBLwQDAgQCCSz2CC8BChEHEwcDLAEDIf8aAhEBEAYKGwUSDwQJAwISCgQX" +
  "EAUfNQJQ/gsLAgImAT37HgYEJQgICf8QAhIWWA0FBgUDEw0I+j3+MgIIBRnyB/4DBQgJDgQDAQII6zL+iEAEGgEHEkMBlgYIZAP6A/yXAQGCcw" +
  "UCGAgJGv4MOSsDOwGpBAPnAwaiARavAiWJMwIKEQkPDgIDBwEiBgczCxkBGwJY/qUEA64BGTABmAIIwQEEujQSIw8IAgoGvwUDtwEQTQXOAwG4" +
  "AQuAMyYtAYkFCZMGCNABJvAyIQb/Af0MJAL/AgEDAgQEDhQCBz4HMQgM/C0ThgMGUf25Av4LB/wBF4oDBY4zARECAQMX/QEDPQEY+A4Q9gT90Q" +
  "EBBAcJDk0FrQMQbw0oCowzAQsFBQ0CAwkDAQgFCwkBPyQYCg4CbASeAQE8DkT+Af0i/ikCEQd0AhsFYf9NAzADIAIcFhH9WRKzAgYVJAwINQNi" +
  "N5cz/wj+JvifAQSgAgQBBC0CGgHoBAHMNgcC8gL/AwYE/goDAQEBBAL/Bf8B/wH+BQED/gILAwYGCwMBtgHwGw9EGy0GJAcrCFoGWA0cAZoBCw" +
  "UBFgosEDUPIf53CxEKDAJTBgcDHgMDBCsEGSAHAzsBpAIa/LIB/wQFFAQCFxIY6QUIswUJDRPXNBapCyfXdP86EIJL/5u0AQ4p8goGPv/hBA87" +
  "Cd4B99rDAwHQNBLPARKOBAb5Af76AwWAgAQFo/QE+wcPCAELHgf9YP8hEGATpgMTXf+uAf0/D6kBC6EC/SEDkAEIBw+tMw3JBQfSBQch/pcBGP" +
  "UzE4sMCYIz/AIPCBIaBQcMBegrArQFCJYDBaMBCGENHQyUgAMWpjQZBAQC/BMEBAr5AhXXBAEQC7oCBbCBAQG4tAEGpAH/1T4E+78BBQUDDQnw" +
  "CQWgNh6SCwm5dAYoCwkEHhQM/gPuOC8GAeoCBc8CB6s5O/4//gH/CAEF/gIBBP8BAQIOAQQB/wELAf8BBQEBAgECBQH9BQIG/wcOEAsG/i8DES" +
  "N7AQX+Hf8WASQCR/IyGw0KIxELAiQDegcYAxgCBQE5/R4RBv4ZIhgGDQYTEiMWJQEE/EkBBAsFARMgGgoMAgZGHfsNAwQGLQIKDQEBPgsa+An/" +
  "BwISEQr7NQoXIhD6DhMBAQL/AwIcAUAFVwoM/hABo7YBDNM8Bxv2DwFWBXMJqQIHQwJFJkABGwW3BRoBBA32E/isAQSINvv1SQbwcg0BEQf7Jw" +
  "a7AQf5BBJJEQX7VgH7uwEHmnwBhgYBpcUBBO50//Y/AbwLAsR070gFkAEExAkNj0EoyDMBGAHLPzAEAQMGAhUC+Ab+A/8EAgEBBwQW/zr9IQU3" +
  "AiURjAMFSgvoATAt/Af4DAb7AwydAQL88gEF/j/8BgIEAgYBChcHCAcOCwUCBQJQJwiyAQflAQqcAgHJAQkVAvIBAgoUfwEHJVgEDQECB8EB/Q" +
  "P/5HL4CA8EBAMNHv8PAx4DbAs/DOwC/tgGAiAEsAH47vIBGAXrBBsHHw8EBwXhAfeoAxLFAQoODTYB6AEEoQIFIf+QARAH+gYY/7IBAQkIAggQ" +
  "EA3/Cv2oBQ43AeUBCM4DAej0AQd5B78K/7r0AwVxBdsGB/pDAZl0ATAH7L8EAYHAAwmcAwe6vQEbi78B/wkBDAMG/Qj/Bwlq/eQBCKICHmMDkA" +
  "MVLx0y//4BCbAB/4Jz/80L/oQ8/pt4Awv9BQcC/goQ9AQc0gYBlDT/ARkE/yEJB/5TC5YF/4MFFDj/yAH/538F7zoJvjgHqQsJvzQBDgjSwAEJ" +
  "nAUBuIUBCbj0AREVEbMLAWQR83MDGAO9wAH1kX8Nw8sGBsP0ASAhAZ0KFX79iD9E+UADoIABBs40BIDABhDKfwG7ywEJxHQJAg4CAgEBEAECAQ" +
  "IIBAQCAQj3CgYCAgT/KRMTBJ0CC+MDEDgEUf9HBPgBBtECBRAQ2ngIi7oBCQsDDRP4BQm4Bf+PARex8wEDDAIR/5oBAucH/uEBBcFACfe1AQLf" +
  "vgEHxwcHCQP6AwqRfB4VILqDBQG59AEBWwOjDP2rewGeA/yAgAIBuXQRWxHQvwEZmwsZgYABA+S0BA+bCw+fdf6bfxlbDaU//SsBCgGyC/7g/w" +
  "EGx7QCCoKBAQHGAwiiAxmYOTq3ChHztAIBjYsBBreBASevuQH98PkCB7wEAtK7AQGcCwUgF5cB/qMzAZ4DAajIAg2XNBItAZwLBQ0B3/QCA7oH" +
  "MpZ6E9+IAiCFAQi39AEGGAaRywH+IAGXtAL/FAHHBwG+Bf+e8wIDgkAGzv8DC45ABwoEygsChzwGhbkDAZwKG4G2ASfdBv+GOQapPxCRBgX8AR" +
  "C4AQFK/JUBBMB0GS4NMAc4EJV/FJsLFLy0AgmwDAnrcxgO+pwLBaY8FvpDA7Y0EiwS/ooBCrk0B6QCB5E+Act/Bp2ACQSPBgTpOQjfBgj3OwTA" +
  "fQipCwjcdATWPwfDDAfqswEV3IUCCriFAwbHPwPxdP0EDw8BGQZTBuME/zMPxQEBiQP/cv+qAQKUswH/xwf/jwUSq/MECqQLBcz0BP4o++kF/r" +
  "MFA870AvPfBvSMOQvQBwm0eBu6iQQJiYIEAa36Ahf5AQORBQG38wIBg4YCBN35AwKDBALPxwH+gEAC778CBq+0AQEPDwUXAxODAgq4A/2wAvye" +
  "Ag7PexjzBQeXNBgIESULEBHUBf+3BQsB/dABGJRzBZsLBbk0GBMCC/9W8u4EGBP98wUELwp6Abe+AgGs9QIC1IoBH45BB7xzBOsHBKi5AQr6/g" +
  "cNvwUYwPoBAQ4BiQUBQAMbA7cF/7gBAvY4A4y6AQOrQAKbCxChQAacNhDECQHQtAEB7QcBzQMN1TsS1gMEhPUBCPPAAf+QQQKMBALYBQPzPgKk" +
  "dfwB/wH2AgMBAQsBBwEU/wEFBQ8GAQLwJ/cHAQ4JIwoSF/cDEnUCXR8Y/EQFNQf3AQXIAQIG/wECARcLAQQllwEJFAUUBQP/8zsCjHgD674CAy" +
  "f+2QkDwwEB7jQByf8DAwH/DR4SAQ0ECv4wAewBCPICNhoBgwIe9AMOxgEEmTMC5z8ECQ8C/AEF2wYFQA/r+wEH2TwFsIADAsk/CZkNCe6yAgvU" +
  "CQ3uAQHtNAHfAQHJQBGjff4s/N4GAb4ECQ32xTUPagjavgEcmwc24wMHDP6AQAaAQAGZdA+rQAUMAfQ/EIiAAQqUCwXk9AIcmwsZr/gBGcI8La" +
  "8HCqw4F1gaq38IBgjZBQKZAgcHCLMD/uQ0DKkLDrZ0DhU3pAEQXAfICQ+XdAEm9J8BAuIH9vUDAYczBnEG1coBCcd0COE/BrjLAgexPDegOAro" +
  "fwFeAaZ/Cv8F/sRFEuS0AQTERAr+AgawuAH9FgQBCJPLAQO5dARJAcOBARDy/QEB2gP/jwj/sAED1Dcdn7sCAQkFBQkCGgMCCA1KAbACEpcCAw" +
  "4KZAGgBBSvAiITGvSyAv8j/wr4RgEh/6UEGZAG/9AB/AMBrT4N8ToPj0UbtPgBCoO8AwgFBCAJCAUKAQL8FwoT/TgCIhuJAwI+FJIBBSL/iQEB" +
  "hgEBggMGDQM9+mALKQjZMxLUigH/5PQBAZsLAQH/vXQV+78BCIwICPO3AQcVAxIDygQBhQEEoQQDggMEAwSt/gIB7vQB+8sEI+cGAZd0AQf/Aw" +
  "ECAhUSBQIMBwMPAv8CARoHQQE3AS4OPgmqAg4QBEkIPAFoBGgFFf4VDAwDAwEQCgcFJBPRAf/+AQlhAiQJDgHssgICBgwBBAb6Av4FAQYHBQEB" +
  "DAH9MQMbBR0GCRArBT8F/QL9HAtYAxwR0AETGAedAgYqCAn/nwH9Pf4yAyH/B/8DCAgErDMQzT8GBwoFCdACAZEC/d4CEPoD/WgJ6rMDBPt/KB" +
  "cNmwsPAQING9e0AQTCBwLZAwEh/pf0Avst/5sLBAEP0AH8hbMC/McBAacBF6E9C6kLDpl8AZe4AQe9CQb5gQEJHivFNAbnfxKPBgehAQiThAEX" +
  "vLQBBx0FCxMMFd0FB/kBBboDEA0JrLQCGFsYpD/+igf+vgQB7nQYuIcD/6I+Bt4B/985F6gEAZy6ARVjBFkB4AIV4wH/uAUBIArJtAIi3wURpj" +
  "oEzn8IKAXpBQjqxgEC9TMJ1AoYyHoE4H4GrPsBBIkMA6O/BAfuNATvvwEKDBbTQSagPgGeBwG/OAEd/xMOGf9NAeoD/D8Ohwb/AQ0gK7d0ByMO" +
  "4n8JpEv/7bkBCc+6Av8NBBv/ZQGcAwToAf/UxgEPqbMBCAIRBQcIA9wHE98CD9F1CEcLHQbABAMyCMUFBSAJgQEW/74BBIy1AgGQPwQo/+kFBL" +
  "MF/Q0Er3T/KCnpBf/sfgOJAR0GBN4B//oD/s60BxLVvwP9GhEHAeQF/5YDFKECAfa4AxPfPhDYQwH0RAGcNAYoBOkFBvj5AgMBBwUBA/7OBAf2" +
  "AgEHA8N4AhEFjQcDsnkCnAUB0oUBAp00IBQxxwcdvgUc87ICCroHCsA4BQEEGQETARAJlQgB3QIS5rQBEAILAgsIDCAYwwEj9wMNlwEW7QMBZA" +
  "Z3DqpzB4cHB/V4FAMLAwEWAgEFCAIBAXMCnQQJqQH/IQFAAqICJs47DYE7AdP/AgYCAQkJBgECAQIMAwYBBgMBAf0NAVQUDA3dA/7MAQJXATID" +
  "kwICdA6cAQHEdP0PArUEDaABCLcF+yEsqjQC8QMB6wMS+gMDxDQBmwsB0LQBFxX9zQcbzgMDjAED4/MBE8sEF3QP+QH4wH0PvgYK/L8CBpd0BA" +
  "UFDAEBBAf9FAgKBwL/RAFc9asBBRcBiAEjCwSkAf5EB6YBC4wDGI4BCVcLBAI5DTIE6TQB7AIB2Ab1pjwU2gMP/f8CFe86Asx5BREBCRASAgIJ" +
  "CP4wBw4LVAlBFqQCAVD+mAEB9wEDEAX/AhUsAQH/DQIHFQkHDf9uATgfgEABhTMDFQnSAQzxAwHwBQ2agQEDhTMGGwUNCQj5AQSpBQUXASAGxw" +
  "I3pbcBHIWCAQXURQHcOA8+BY0ECO0C/5W4AQIbAfECA9nIAQK3NP+wAv3GfQHZBwHaAwwg/5cBBsm+AQOAgAIBoMABGpf0AfwMAQn9EgcQA1sB" +
  "hQkHhQMHm7MDCZ/LAQHhdBHOfwcoAukFCIl6EccHBaw5LOQEEPkBBfoDAqD0AgsLC78HC/YDBe40BLILEm8N37MD/+YB/cyJAQKXdAyCBQeXCA" +
  "yGswEexwcewIQBAd9zBCgD6QUE2QEGyngOPP78AwKU+wEBswsB0XQOEPwB/AECAv+6AwukA/+MA3/7AQfUdgLh/QUDzv8BDCgP6QUMswX9+3oL" +
  "hYUEF9d0ARgBkQsS5HQTmwsT3zQTsQkWqLYBD8sLNZ8BHjIP83IG2gsGtTQBAQyFBgGyxQIBm7kFCaQ7B7YCB/6IARm+NATUCQSmtgICyAsGvD" +
  "QCKALpBQKzBQ0FDdK0AQy/BQyuhQES8zQIt4ABFwUCOQqcBRveBgmRswJJBQMo/+kFA9kBCZH4ARcFCCgH6QUIswUEIASzAReRswEBCiDKvwEH" +
  "AQgDBxjzAgYOHukFCOQBIM8D/A0WrDQDXgOxBQXeAQSYeAXTQwWcAhD5gQEPgIACAtH6AQzCggINkLwBF91G/rO8AgPw+wUPnAQPmwcD7rQCAZ" +
  "LLAf/KdAbrBwaCBQeCMxMr/YkF+pIG/wEJIP+GfALagwL+5HQEqQsHk0ABo3Qv40cCvvgFA5sLA+80INf/Af8ZCosB/O6+AQQYBL1JBMD2AQXF" +
  "Bw3PgwEB7rQC+/Y/HJsLHL00Aij/6QUDswUB17QBAb8FAad6DIAKBv91CygH6QULsgX9pzwZx/gBEN8BD5i+AQIM/Z0LDao0CAUQKBTpBRDIAQ" +
  "HqAwQBFswBAdT+AyTpvgMPpDsEhEIBvoMB/800/ij86QX+sgX+DgGUAf4vAc7zARaaf/cEARL//wUBYBUV+r4E+aY8Asg4Bc5BBrOBAgHmPAzY" +
  "AgPzCAECBrtA/9C5AQOm+gEKpAH9iUoH7TkNs4YCDpk0AY8GC+95/wn+BfsHAgIGAQMBBgH8Af8BBy4MKRhNBeoEClkFX/vPAhbUdQIoAekFAp" +
  "AG/8n7AQGrOAwHCQIMCv7YAQTxA//6ARyquAIB5n8YyQsE0AET3HMB00ID3nwKgQkKogIYjroCA7J6FgsCAQMDAwMEAQ3VAwpfB7MCBFAD5gMD" +
  "DwIGAQMCigECpzMBWwGcDBb49wEJoTwB10oHxDQGnAsNoMADC7C0BBDtBxKneA/CRweRBQGtMzGbCzEB+9R8CJq4Af+6BAOFAQLRgAEI5jkDnA" +
  "v/DQbgNBLfARLhAwHzxQEF5boC+vtEF+S0A/KpC/KqdAqRBgfTBBK1AgrpsgL4x0sEz/QDD9gHFpZ4AwYNCCMLAgwN7QYDJxEgDaMBAZ23AQHK" +
  "CwPEtAEJzQc1HPyzAwiggAH9iHkJj/sB/AH/Awh6AtAEBL0BCb4EDAIEzgH8kLMCGbQHBq+4AgVpAYs/EAELkAYDegtkCaoFEOeyAf0BJvAE+6" +
  "gI/ecyCAEBAQgDAQ8BA/8IBwT/AxIHBDMLBwEODdQBAZICF1v/AwVWHwINBQMCBQIJOAlxARAG1AH9xQEWXQUFB8sBBAMCAgjkMuAB/QEbAQQB" +
  "AwL/AwIB/wQLBgEB/wEDAQIDAQIBAQ0C/wINAwICAQL9AQwG/wEGAQgB/gEIAQMB/wweCAMBAQEgCSMH9wgCAf8OAQUEDQEF/QEBBP8IAQQKAQ" +
  "EF/wUWDxECAgIIBf0J/hkXBwEE/gcVBwEE+AbxDf8EAgn8Af8FHgECAgsJBg0LAhEB/wsHAhsFBxkWAf0CFgMODAES+wH/DAYNAwcKAgEIAQQF" +
  "BwEBAQEMCRACBAcCAwYMBQYNAgIgAQn/Ev8jBAcCAwQDAQIBBwEKAgIUBAQYDgESEAQOBgIVMSgDERYSDhEKARwBCP4B/QMECQkPBAEDEQMGEw" +
  "/9AQEDFgYTAiQCAQoQCQoICgYEARAI/RX/Cv0CCw4yCf0LAwsLBQMBBQQDAwQHGgUFBgMCAwsGBhoFAQIGC0UEAwUoAQYD/wsCDAcBCwsIARAF" +
  "IAsBBhwRBwIDDQwBCwQEAQcDAwECAwYBBAMDD/8SCAEDCwoRARIJCx4HBAMDCAIB/wICCPwC/wMhBwcGAgL6BP0J/QEGCP8B+x8DAgcDBwYBDP" +
  "0KBxAIDf8FFAb/AQcW/wEBC/8CCxcMKAQKGgIBBgIEAQsDEgIFARgFDgr/MjgaJQcUngccVwGBOQ3OCgaXAQGJcxQMBQMFBAILAvABMNoBEMgH" +
  "A9MBB4n4ARzSBwWdswIBA/8O/QIDAgYCAQQMBAEIHQv5DQSRAScxAgUHBxoQAgQFJgwpJRwBTAM6BUUBFgJFAiMMAQMcBhnuN/YIEgEaEQkWIA" +
  "EDOwIrHR8fCgYXEQUfkgEGJgFbKgQqEf8QAisGPycdAwj/bwMIBel+Ari0AhzQiAMC+IIB//c2K8C9AQIBBAH6AgoBAQT/CQEDAgEBAfwCBQcI" +
  "Af0CAQINAvwEAQEHAQEFKAIPAgEBCwL5EQEdBhL7Ef4KEkIDGAsh+ysBCw0QAQz+DAQVCVj/Eg4FEwcFNggCBRH5VP8EBwQFFQMtER4EGQEL/w" +
  "n+SAYZBy4GCA8+/w7+YAE4AykBBgkbBhj+EAQr/18CGAwQAQ0COPofBEkFFgENBwP9AQYCA46zAf2bCwohGpf0AgEbCAIJCgxOAZUBCIgGDe4E" +
  "ARkB1jr/x/gEAgH50AQCwgb35DT+nAsNDf689QECtwoP1/QCCfj/AgbYBwnZAyO5NAiwRyKDuQEPkgQPrjwRor8DExMImQMI2QYEmzYCkgsByX" +
  "UH7j4CmQ0C7HIBKAHpBQGzBQSAgAL/qDkO2Ab/IP6AgAH/4D/83TQLgQkL+XYJvwUOzroB/5wL+Lx0CQIBBwcHBwoBAQkDEAL/CAQWC1EC4wIU" +
  "ehhmCjr+GRSZAfwfA2EHVQywAgQhAiwFYAoWD96+BQi+dAFSAcsKBfP0AgHqRDTz/wIH3T8Y94ICF5j4AQORBiu4BQEg87ABBOfyAf8c/wUGAg" +
  "sWAlsLhgQZXBFLGzM0nQMB/AICuboBAfG4Av4+/6C/AwMGBgEQBwNxA4YEDqAFFbIBA6EBAoZ8DO02DBsI5wIa7AEW2wYIjwEBQQsDAuQyDckL" +
  "BdABBIozGXEs0QIE5Af68DQEzIcBC/13BF4FoD8HmQ0P/LIBAQ4eBPltHv0EAZI6AgMHbgKLP//qfwIEDLMB/KADEtEFApiBAgTuNAKSCwegQA" +
  "KXNAIBBAkBCgIIAwkBB/0B/wj/AgEC/y4BnQQGThQdCpwB/kgEPgEdBtABCsYBAgUDAQ8MBFcKPv0xAuqyAQwPCQ4EcS63AQaSAiD0B//Cc/8O" +
  "EgcSYhLnAwb+Ahj6AxrGNBHSAg3wAQeFAQKKugIBEwWtAQXZCwHsMgUoEAgDBP8HA7YFKCAHsgUHwDQb/QH+tz4R2P8BCQQK0gEFjQIP3AMJls" +
  "QBP570ARACCQP/BgMF+wQBAgUFBAH7AwQBBggFQQYFAgQYFAMH+wMKd/rMAQGGAQIR/SQDCAQFARYGWRsZ/pwBAeEB+jEpPhwVAR/9ExIiBGr8" +
  "a/sTGx8WunQCwj4IAh8BAwEFAggDBgUKBQQBBAP9BAEC/gQDAw8BCwIOBgEDAgP5GAYTFhn6HwSrAQYKIw0NBhoPJU82PBtkAVAKHCM1CQb7Xw" +
  "gvDjwKMwUZAVcBZggBBTMMnwEcFBAKDCkGPwoBDePzsRkBESCjCyOsNQfLCRjANfgBCgP/ARgDDAEvBP8CDAEPAQQDEQEJAg8BDAEJAQEBCQEL" +
  "ATQHFwMHBhcMJB4RIwFMDFsQRxdvBlQduAEDMxASCscBF0UJlQMIDQhb/2j+A/vkMggcEwEnrAsa0AEI3DMD7gQD9QEB8QMDuDQDFv8DBwEOyA" +
  "UDgQUDZf23AQb+NgqavAIKiIACA78FBqM6BxYE/L8CD5JAFY5ECux7C5QEEud7BPICBPkBDIEFCsJBAtd0AZQEGc47AgMEDQcIAQYBF/8mBRMJ" +
  "xAMZsAb+nAICIAP9MgED8xcC3AIO3wMFoAIFmgIH37QBLRAB7AstkLQBBA8B7j8BDwEEAaIL/8s0ARgmSf/eBgH2AwGiASOnMwNeA5J/EDAN5g" +
  "X7HBeVBfzOdP0CBQEBASAB/gsD2Acj/wQJAgacswEF+z8OAwzzBQuDOgkMDQQFBgkH9ocEHaIHBtE0/6IL/Lx0CgsUJQOUCwQEHrMBCPIzE5A/" +
  "GwYGBwoBBgUCCgIKAgICAQ0xEgMMFQlREKIEAeEFAwQBngENAQWU8xILBQwEDQYFCQOBDQgDA+SyAfsnCYQEHe4IB+myBg+1wAIJ1v8S/wcSCA" +
  "aMBgrHARfaAxPX9CUElAQE1fsDCRsFCQypCwfhtA3/5L8BDdrADv/UyiYG0/QCBZqACgi/wCsDsb8EIfr/CgSUBATsOwSUBATsuxYflAQf7Hv8" +
  "VQOeAg7/BQjSgQMLvPUIAZQEAey7DAO/BQajehhbGMP/LB2UBB2VhwID1PQMDRof9QoJ6HQBxAcB6IIBGOC1DgiUBAjnuwgHgMACHuUMBoLzJA" +
  "UeAz0F1wMe47sJBgME24AMBav/Dg6UBA7MuwIIHBMBJ6wLGtABCP+yEBLq/wYQxwv/zrQPBSAQvsABA9TKCQHutGv+5P8OA/ICBof9Bw3xvwM3" +
  "8IcyAvr8BgKruw1JhkAMlAQP4/sU/gICDgOZiiEKiYEHBay1BQmr/wgD1cAOAqu/GALJiwIZrPQBAREgowsjuLSzGfwB/AIBAf8BBQEHAQECIw" +
  "IBAioBBAMJAQIC/gECAfoBAgH9AgME/wMKAQQCAwH/AQwC/QEFAfwC/gIEAgMC/wP7yj8DAvsCAgEDAwcB/wP+Av4E/QMCAQMBAwL+AQYC/wH/" +
  "Av4B/wMKAwEBBQH/AgMB/goBAfzKP/kB/gH/A/sB/wH3AfoB/QH+Ah4BBAEJAQEB/gEIAfYBAQH2Af4B/AIKAQYBHwH+ASUB/wEOAfoBAQEVAQ" +
  "EB/QP3AfoC/gIEAQQBEwIBAwwBAQH8ARQBBMo/AQQEBgYCBwUBBP4CAgUCBgcBAwoI0z//AQgB/wL/Av8C/wECAgEB/wH/AQMB/wEBAQEBCQMH" +
  "AgEB/wICAv8BAgT+Bf8EBgEDAgIC+QP7AgfNPwEB/gP+A/8B/wUECf4B/wEIAQIC/wUFAv4D/wEBBv8C/wUBAv/KPwIB/wH+BP8DAwEHBBMCAQ" +
  "IFAQEC/wEFAgEDARv5zD//CP8K/wH/Av8CAQgIDQIFAgMB1D8FCwIDAQUBCQEBAQb/0z8LAQMDAwJAAQUB/wYDBwYD/wEIAwEHDQoCCQTMPwkE" +
  "/hcBEAHTP/8CAwIDCgoECAX/AgIIEAkKDAnMPwQC/wH/DQoDBQH/AQMC/wUBA/8B/wH/Cv4EAQICAQEC/co//wL9FwIEAxD/CP8B/8o/AQEDAf" +
  "8CBgEBB/4E/wImAQUB/wMDAwgF/wP+CwLVPxIC/xEHAv4GAgEGCAIBAdo/AgECEv0EAQj/A/8IAQL/BQIEB8w/DQP/GP8C/wQBDg4BAc4//wEB" +
  "AwQDFwUFC/4C/QMDAf8C/wEBAwsIAgII1T8DA/8HAQ0DAgEGBgL/AwTaP/4C/wIEAQEBAQEBAv8EAQT+A/oBBwQEBP8GAgP/BQHVP/wCBwIDAf" +
  "sDAgH/CgIB/wL9AQUBAQEDAv8DAwT+Af8DAQIEAwIBCgEPBQgCEcw/BgEDAf4DAhAEBwgBAQYDBAgCAQQP0z/+AQEB/gL6Af0JBQf+AQUB/wH/" +
  "Af8D/wIDAQ0BBwP9A/8B/gMFAf4BBgECCQfKPwMBAwMDAf8JCwcBA/wB/gEEAf8BAQcECv8IBQEEyj8BBAYF/wL/Af8CCgL/BAcB/wEBAQYB/w" +
  "cBAf4BAgoDAgII/wEZyj/+AQQDAQEBCf4GAQMEAgMF/wICAgQCAQEBAv8P+co//wEEAwEBAQUDBAUI/wQCCQEGAw0Xyj/+AQIBAwIBEQEC/wIC" +
  "AQEHAwIBCAEBAQYBAQMBBAH/AQHKP/0B/wH9DAQBAQb/AQsHAQEEAgIH/QICCwgC/8w//wIBEQMJ/wECAv8IAwz/AQLKP/4C/wH9A/0I/AT/Aw" +
  "MB/wEBAvwBAQP/BAUB/wP/CP8F/wIDAv/NPwME+wT/BAEJ/wH/BQECAgX/Af8B/w8Byj/9AQMEBhADAwIB/gH/Af8C/wUECf8CAgYBAwTOPwMB" +
  "BQQDDBMCAQEECwYD/wEBBgbUP/0B/gIEBhgCBAYDAQIC/QL9AQID/wEEBf8C/wT/Af8D/wsEyj8BBgsIAQYFDw8CEQgB1T8BAgMBAQIBCwQCAg" +
  "IFAQEIAgIOAQEDAQH/BwEGAQMGyj//Af8B/goKAQEFAwMBAgQDAgEEAQME/AEJAQMB/wP/AgICBwMBBAHPP/wBAQEKAgEI/wP/AQICAgIBAf4D" +
  "AQQBAf8GBAT/AQUDAQEDBQYBAwQByj//KQEDAwkCAQTOP/0BAQcCBAMC/wgLAQEGAQcBAQQEBggByz8YBgQEBQIEBQMDEQoDAgIDDgQF2T/6AQ" +
  "MBDwEGAQUB/wIBAQEBAQEBAv8DBAMBAwEC/QH/AQUDBQIBA/8CAwMDBQEBBgYEBP7LPwMGAQgDBgkHCwECBv4DBgECBgPTPwEC+AL+Af4DAQL/" +
  "AgIBAQH9Af4EAQL/AQIBBAH+AQkBAgL/Af8C/wL8AQEBBQQBAQEBAgMCAf0EAQEEAQIDAeg/AeI//wMDAgQOAQH+Af0EAQ0C9D8CAgQQDdQ//Q" +
  "H/AQYHBAMCAQQDBQUQAv8BBQICAgECAQH/BwEBAQQBAg0I/8s/AgEEAQYBEwH+Af8C/wUEBgECAQH/AgUBCQEDAQEBAwECB/8D/gH+AQMBAgT8" +
  "BgMC/gECyj//Ag8IBgL9CQMC/wEBAQEKBQIIBgYKAss/AgT/CAMJAgoCDv8FCc8//wECAv8EAQcCAwMC+wH/AwICAQL/AQEC/w7/Bf8BAs8/+g" +
  "P/BgIB/wIOAgEEAgEGAgICBAIBAvwC/wERA/8E/gQKAgIJ/8v/5B//AfwD/wUBBAEEDwIFAf8IAQQEAwEG/wH/Cf/OP/8D/wT/BAEB/wgEAgEC" +
  "/wECBwEJ/wL+AgEDAs4/AQEBAwIBCQH/AwIBBAEHAf4BAQH+Av4C/gIJAQIBAQEKAQIBAQEKAf8BCAH/AQQBCgELARIB/wEBAv8CAgEJAgQBCQ" +
  "EEAQsBAQH/BAQBAwESAQHLPwMEAQH/DgEBAwEBAQECCgIBBP8CBQQBCAHfPwECAQT/AQECAQH/AQEBAQX/BAEJAdo//xEDBQECARH/Cf7QP/4B" +
  "/wMDAQEfAgsB4z//BgEUAgMCy3//BAEB/g0BAwECAQIBCP8JAgQBCAPPfwESAQgBF//PPwEDAQ8BAgEGAQEDCwIHAQIBAf8BA98//w0BC//TPw" +
  "EFAg//Af8E/wIBBP8MAQgGzT8CAv8cAeY/ARD/FgLvPwEIAd8//wH/BgEBAQgBBQIC/wQBAwEBAQEFAwQTAc8/Ag8BGQEJA9c/AQf9G//WPwED" +
  "AQb/AQED/wX/AQMFAQMBAwEDAQIBBwHdPwED/wEBBQECAQwCBQED/wID1D//DQIHAQP/Af4B/wYLCgIBAQr/AQLrPwENAggByj8BBQEKAQX/C/" +
  "8BAgkBAgEL/8s/AQH/DgEC/wUBAgQGAQIBCgEJAQIG6z8BCwEHAdI//wn/BP4CAQECDQEGAQEBAf8KBQEB3D//BgEGARcB2z8DAQEKAQMBAfwP" +
  "AgUC0z8BAf4B/wr/BgII/wb5Af8DAQQBCf7nP/4C/QH9Bf4B/gH/2z8DCgIDAgUBAQICAQL/AQEFAQIBAgIFAQX/0z8Dl0D/BP8OAQT/BQEEAd" +
  "A/AgwFAgEBAQIBAgMEAQUCAwEQAc0//wUBEwEN/wgB0T8BDQEB/gT/AgIBAgYBBgMC/wUBBAEBAQX/AgHMPwIFAQ3/BAEDAgkBBf8BAQ0BAQjg" +
  "PwES/wwB1T8FCQICAQMBAwEaAc0/Ah8C4D/+BQUEAQMBCf8E/gEBAgIF/wUCAQELAQT+zz8GAwIEAQQBBwEEAQMBAQUMAgIE1D//A/8B/wUBCA" +
  "QD/wH/A/8BAQUBAgECAQcBAQEC/wn+/z8Ezz//EQLrfwQBAQoBAQECAgIBAgECAQP/AQMGAQEBAQIC/wEDBAEBAgEBBAIJCc0/AQECAQUE/wIE" +
  "AQQCAQL/BAYB/gEBAf8CAQIBAQEDBAIEAgECAgMBAwQCDwQCAgUCAwEByj8BAgUV/wgBAwIBAeE/AQEBGwENAtU//iP+2z8BBP8QAQH/Cv4BAQ" +
  "P/BAEG/Q=="

/** What a weight of one is worth, and what every passage begins with. */
export const unit = 0.169365
export const bias = -7.25179

/** Scores, of a short text, from which a passage is enough, is something, and is enough where nobody is shown it. */
export const strong = -0.588371
export const weak = -2.18856
export const hidden = -2.18856
