"""English word lists: titles, given names, places, cue words, capitals that are no names.

They describe the language of fiction, not any one book.
"""

from __future__ import annotations


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


MALE_TITLES = _set(
    "mr mister sir lord king prince duke earl count baron emperor father uncle brother master monsieur m herr "
    "senor signor don esquire squire grandfather grandpa abbot friar monk fr"
)
FEMALE_TITLES = _set(
    "mrs miss ms mistress lady madam madame mme mlle mademoiselle frau fraulein senora senorita signora donna "
    "queen princess duchess countess baroness empress mother aunt auntie sister dame grandmother grandma nurse abbess"
)
OTHER_TITLES = _set(
    "dr doctor prof professor rev reverend captain capt colonel col general gen major lieutenant lieut lt sergeant sgt corporal "
    "private commander admiral commodore marshal inspector detective constable officer sheriff judge justice "
    "president senator governor chancellor bishop archbishop cardinal pope saint rabbi parson vicar dean deacon cousin "
    "comrade chief elder warden magister archmage mage regent sultan khan tsar czar marquis marquess viscount hon consul "
    "mayor secretary minister ambassador agent sergeant-major deputy bosun boatswain cook skipper old young little poor dear"
)
# These stand in the names of streets and places too.
CROWNS = _set(
    "king queen prince princess duke earl bishop saint st lord lady abbot regent victoria"
)
# Not titles of rank, but they stand before a name all the same.
EPITHETS = _set("old young little poor dear")
TITLES = MALE_TITLES | FEMALE_TITLES | OTHER_TITLES
# "Lord Chancellor", "Lady Abbess": an office that stands for a person.
OFFICES = _set(
    "chancellor mayor abbess admiral governor marshal regent justice provost chamberlain protector steward"
)

MALE_NAMES = _set(
    "aaron abel abraham abram adam adrian alan albert alec alex alexander alfred allan allen ambrose amos andrew andy "
    "angus anthony antonio archibald archie arnold arthur augustus barnaby bartholomew basil ben benedict benjamin bernard bert bill billy "
    "bob bobby brandon brian bruce caleb calvin carl cecil charles charley charlie chris christopher clarence "
    "claude clement clifford clive colin conrad cornelius cuthbert cyril dan daniel darcy dave david dennis derek dick "
    "dominic don donald dorian douglas duncan dylan earl ebenezer ed eddie edgar edmund edward edwin eli elijah eliot elliot ellis "
    "emmanuel eric ernest ethan eugene eustace evan everett ezekiel ezra felix ferdinand fergus francis frank franklin fred "
    "frederic frederick gabriel gareth gavin geoffrey george gerald gerard gideon gilbert giles godfrey gordon graham gregory "
    "guy hal harold harry harvey hector henry herbert herman hiram horace horatio howard hubert hugh hugo humphrey ian ichabod ignatius "
    "ira isaac isaiah ivan ivor jack jacob jake james jared jason jasper jed jeff jefferson jeffrey jeremiah jeremy jerome jerry jesse jim jimmy "
    "joe joel john johnny jonah jonas jonathan jordan joseph josh joshua josiah jude jules julian julius justin karl keith kenneth kevin "
    "lambert lance lancelot laurence lawrence leo leon leonard leopold leslie lewis liam lionel louis lucas lucian luke luther malcolm "
    "marcus mark marmaduke martin mathew matt matthew maurice max maxwell michael mike miles mordecai morgan morris mortimer moses nathan "
    "nathaniel ned neil nelson nicholas nick nigel noah noel norman oliver oscar oswald otto owen patrick paul percival percy perry pete peter "
    "phil philip phillip pierre pip quentin ralph raoul raphael raymond reginald reuben rex richard rob robert robin roderick rodney roger roland "
    "rolf ronald rory ross rowland roy rudolf rudolph rufus rupert russell sam sammy samson samuel saul scott sean sebastian seth sherlock sidney silas simeon "
    "simon solomon stanley stephen steve steven stuart sydney ted teddy terence terry thaddeus theo theodore theophilus thomas tim timothy titus tobias "
    "toby tom tommy tony tristan ulysses uriah valentine vernon victor vincent virgil wallace walter warren wilbur wilfred will "
    "william willie willy winston zachary zebedee juan pedro carlos miguel jose luis hans fritz heinrich wilhelm johann ludwig jean jacques henri francois "
    "alphonse gaston rene giovanni giuseppe marco luigi paolo dmitri sergei nikolai vladimir boris mikhail alexei andrei feodor"
)
FEMALE_NAMES = _set(
    "abigail ada adela adelaide adele agatha agnes alexandra alice alicia alison alma amanda amelia amy angela angelina ann anna annabel "
    "anne annette annie antonia arabella audrey augusta barbara beatrice becky belinda bella bertha bess bessie beth betsy "
    "betty beverly blanche brenda bridget camilla carla carol caroline carrie catherine cathy cecilia celia charity charlotte chloe christina "
    "christine clara clarissa clementine constance cora cordelia cornelia cynthia daisy daphne deborah delia della diana dinah dolly "
    "dora dorothea dorothy edith edna effie eleanor elena eleanora elinor eliza elizabeth ella ellen elsie emilia emily emma ernestine esmeralda estella esther ethel "
    "eugenia eunice eva evangeline eve evelyn fanny felicity flora florence frances freda georgia georgiana georgina geraldine gertrude gladys "
    "grace greta gwen gwendolen hannah harriet hattie helen helena henrietta hermione hester hetty hilda ida imogen inez irene iris isabel "
    "isabella isobel ivy jane janet jean jemima jennie jennifer jenny jessica jessie jill joan joanna josephine joyce judith judy julia juliana julie juliet "
    "june kate katharine katherine kathleen katie katy kitty laura lavinia leah lena leonora letitia letty lilian lillian lily linda lisa lizzie lois "
    "lola lottie louisa louise lucia lucinda lucretia lucy lydia mabel madeline maggie marcia margaret margery maria marian marianne marie marion "
    "marjorie martha mary matilda maud maude may meg melissa mercy mildred millicent millie mina minnie miranda miriam molly monica muriel myra myrtle "
    "nan nancy naomi nell nellie nelly nina nora olive olivia ophelia pamela patience patricia patty paula pauline pearl peggy penelope phoebe "
    "phyllis polly priscilla prudence rachel rebecca rhoda rosa rosalie rosalind rosamond rose rosemary rosie ruby ruth sabrina sadie "
    "sally samantha sara sarah selina sibyl silvia sophia sophie stella susan susanna susie sybil sylvia tabitha tess theodora theresa tilly "
    "una ursula vanessa vera veronica victoria viola violet virginia vivian wendy wilhelmina winifred yvonne zoe natasha sonya tatiana olga katya gretchen ingrid"
)
GIVEN_NAMES = MALE_NAMES | FEMALE_NAMES
# Given names that are also words, months or places: alone they prove nothing.
WORD_NAMES = _set(
    "mark will rose may june grace hope faith pearl ivy violet olive daisy lily iris ruby patience prudence charity mercy felicity bill bob "
    "frank jack don earl guy hal hugo jean art dean drew grant rob sue victor virginia florence georgia charlotte adelaide victoria sydney "
    "jordan israel alma nan pat dolly jenny pip robin dick tom nick ross miles"
)
NICKNAMES = {
    "harry": "henry", "hal": "henry", "will": "william", "bill": "william", "billy": "william", "willie": "william",
    "tom": "thomas", "tommy": "thomas", "jim": "james", "jimmy": "james", "joe": "joseph", "bob": "robert", "rob": "robert",
    "dick": "richard", "ned": "edward", "ted": "edward", "teddy": "edward", "sam": "samuel", "ben": "benjamin",
    "dan": "daniel", "dave": "david", "mike": "michael", "nick": "nicholas", "charlie": "charles", "charley": "charles",
    "fred": "frederick", "matt": "matthew", "andy": "andrew", "tony": "anthony", "phil": "philip", "pip": "philip",
    "tim": "timothy", "steve": "stephen", "pete": "peter", "ed": "edward", "archie": "archibald", "jack": "john",
    "johnny": "john", "bess": "elizabeth", "bessie": "elizabeth", "beth": "elizabeth", "betsy": "elizabeth",
    "betty": "elizabeth", "eliza": "elizabeth", "lizzie": "elizabeth", "kate": "katherine", "katie": "katherine",
    "kitty": "katherine", "maggie": "margaret", "meg": "margaret", "peggy": "margaret", "molly": "mary", "polly": "mary",
    "nelly": "ellen", "nell": "ellen", "sally": "sarah", "fanny": "frances", "becky": "rebecca", "jenny": "jennifer",
    "lottie": "charlotte", "susie": "susan", "annie": "ann", "nancy": "ann", "minnie": "wilhelmina", "tess": "theresa",
    "alex": "alexander", "chris": "christopher", "josh": "joshua", "nat": "nathaniel", "jeff": "jeffrey", "abe": "abraham",
}  # fmt: skip

SPEECH = _set(
    "said says say replied replies asked asks cried cries answered answers exclaimed whispered whispers muttered mutters "
    "murmured shouted shouts called remarked observed continued added returned demanded inquired enquired repeated "
    "declared suggested explained growled snapped sighed laughed grunted hissed screamed yelled roared began agreed "
    "admitted insisted protested interrupted announced responded rejoined ejaculated pursued resumed gasped sobbed "
    "pleaded begged warned promised told tells spoke speaks thought thinks mused wondered nodded smiled grinned frowned"
)
# Verbs in their finite form that want somebody, not something, for a subject.
ACTS = SPEECH | _set(
    "looked turned walked stood sat rose knelt leaned stared gazed glanced watched saw heard felt knew believed remembered "
    "forgot hoped wished wanted feared hated loved liked smiled laughed wept nodded shook shrugged bowed took gave "
    "held grabbed caught threw drew pulled pushed opened closed shut picked laid put set drank ate slept woke dressed "
    "went came ran fled hurried followed entered left stepped climbed jumped swung paused hesitated waited listened "
    "tried decided refused meant seemed appeared understood realised realized wrote read sang married died is was has had does did "
    "would could might should must will can raised lowered touched kissed reached met found lost kept made cut fought struck "
    "blinked swallowed breathed winced flushed blushed slipped crept bent lifted lit poured thrust drove rode sailed"
)
PERSON_NOUNS = _set(
    "father mother brother sister wife husband son daughter uncle aunt cousin nephew niece friend companion servant eyes eye face "
    "voice hand hands head heart hair lips mouth arm arms shoulder shoulders mind soul smile lap feet room bedroom "
    "house cottage coat hat dress words opinion death grave desk cheek cheeks brow temper manner sword horse tears gaze fingers "
    "marriage name letter letters turn family children child boys girls thoughts"
)
RELATIONS = _set(
    "my his her our your their brother sister uncle aunt cousin friend husband wife son daughter father mother nephew niece "
    "named called dear poor old young little"
)
# How much a preposition before a name speaks for a place.
PLACE_PREPOSITIONS = {
    **dict.fromkeys(("in", "near", "through", "across", "throughout", "around"), 1.5),
    **dict.fromkeys(
        ("at", "from", "into", "towards", "toward", "outside", "inside", "beyond", "over"), 0.8
    ),
    **dict.fromkeys(("to", "of", "for"), 0.3),
}
MOTION = _set(
    "went go going gone came come coming returned return sailed moved travelled traveled rode ran fled walked drove hurried sent back "
    "way road journey journeyed crossed flew headed"
)
REACHING = _set(
    "reached entered left approached visited leaving entering reaching approaching visiting"
)
LINKING = _set("with and by that when if as than")
AFTER_PERSON = _set("who whom whose himself herself")

# Heads of place names: "X Street", or "Lake X".
PLACE_HEADS = _set(
    "street road lane avenue square place row alley terrace drive court hill hills mountain mountains mount peak ridge valley "
    "vale glen moor heath forest wood woods grove park garden gardens field fields farm river creek brook bay "
    "gulf sea ocean lake pond falls harbor harbour port island islands isle isles cape point beach shore coast strait "
    "channel desert plain plains city town village county shire province kingdom empire republic land lands territory castle palace "
    "tower hall house manor abbey priory cathedral chapel church temple bridge gate fort inn tavern hotel station "
    "square green common downs cottage lodge rectory vicarage parsonage prison hospital observatory museum library theatre theater corner "
    "hollow crossing landing wells springs bank banks head pass gap ford wharf dock quay docks market mill mills dale keep citadel ward wall "
    "barrow cove reach marsh marshes nebula colony sector system moon asteroid spire citadel swamp canyon plateau peninsula archipelago hamlet cemetery bar rock rocks reef shoal shoals tor crag ledge"
)
# Heads that are surnames as well: "Tobias Marsh" is somebody, "Sedge Marsh" is not.
SURNAME_HEADS = _set(
    "marsh hill hills mountain wood woods forest field fields brook bay lake ford wells banks mills mill moor heath grove park pond "
    "glen vale ridge peak castle church temple wall ward keep knowles shore barrow cove dale rivers hall house"
) - {"mountain", "hall", "house", "castle"}
PLACE_FIRST = _set(
    "lake mount mt fort cape port point isle island castle river camp loch glen villa san santa rio saint st ste new north south east west upper lower great little"
)
PLACE_OF = _set(
    "city town village county island isle isles kingdom port province state river gulf bay cape straits strait valley lake mount "
    "parish borough republic empire land fort castle house tower coast sea duchy principality district department region bank"
)
FACTION_HEADS = _set(
    "guild order society company corporation association committee council senate parliament congress club bank "
    "army navy legion brigade regiment battalion fleet league alliance federation union party church clan tribe house brotherhood sisterhood "
    "college university school academy institute institution bureau agency department ministry office court syndicate cartel gang "
    "watch guard rangers knights circle coven cult trust consortium shipping industries enterprises holdings directorate collective foundation inc ltd co auxiliary commission police"
)
FACTION_SURE = FACTION_HEADS - {
    "house",
    "court",
    "church",
    "watch",
    "guard",
    "office",
    "bank",
    "school",
    "college",
    "party",
    "circle",
}
PLACES = _set(
    "africa america asia europe australia antarctica england scotland ireland wales britain france germany spain portugal italy greece turkey russia "
    "poland austria hungary switzerland belgium holland netherlands denmark norway sweden finland iceland prussia bavaria saxony bohemia "
    "rumania romania bulgaria serbia egypt morocco algeria abyssinia ethiopia congo sudan kenya zanzibar india china japan korea "
    "persia arabia syria palestine judea israel jerusalem babylon siam burma tibet ceylon java sumatra borneo malaya philippines canada "
    "mexico cuba jamaica haiti brazil peru chile argentina bolivia colombia venezuela panama hawaii tahiti "
    "london paris berlin vienna rome milan venice florence naples turin genoa pisa madrid lisbon seville barcelona athens constantinople "
    "moscow petersburg warsaw prague budapest munich hamburg cologne frankfurt leipzig dresden heidelberg geneva zurich brussels antwerp amsterdam rotterdam "
    "copenhagen stockholm oslo dublin edinburgh glasgow belfast cardiff oxford cambridge eton harrow bath brighton bristol liverpool "
    "manchester birmingham leeds sheffield york canterbury winchester dover plymouth portsmouth southampton greenwich westminster windsor "
    "richmond chelsea kensington mayfair piccadilly bloomsbury soho holborn whitechapel southwark yorkshire lancashire cornwall devon devonshire dorset somerset "
    "sussex surrey kent essex suffolk norfolk hampshire wiltshire gloucestershire shropshire derbyshire cheshire cumberland northumberland durham "
    "calais nice lyons marseilles bordeaux rouen versailles normandy brittany provence burgundy tokyo peking beijing shanghai canton hongkong singapore calcutta bombay "
    "madras delhi cairo alexandria khartoum capetown natal transvaal sydney melbourne boston philadelphia baltimore chicago washington "
    "brooklyn manhattan cleveland detroit pittsburgh cincinnati richmond charleston savannah orleans memphis nashville denver seattle "
    "massachusetts connecticut maine vermont pennsylvania maryland virginia carolina georgia florida alabama mississippi louisiana "
    "tennessee kentucky ohio indiana illinois michigan wisconsin minnesota iowa missouri kansas nebraska dakota texas colorado utah nevada "
    "california oregon arizona alaska montana wyoming idaho oklahoma thames seine rhine rhone danube volga nile ganges tiber arno hudson amazon "
    "atlantic pacific mediterranean baltic adriatic caribbean alps pyrenees himalayas andes rockies apennines mars venus jupiter saturn mercury "
    "neptune uranus wimbledon ottawa toronto montreal quebec halifax"
)
MULTI_PLACES = tuple(
    "New York;New England;New Orleans;New Jersey;New Hampshire;New Zealand;New South Wales;North America;South America;Great Britain;"
    "United States;United Kingdom;Nova Scotia;San Francisco;Los Angeles;Hong Kong;Cape Town;Monte Carlo;St. Petersburg;South Africa;"
    "North Carolina;South Carolina;West Indies;East Indies;Holy Land;Asia Minor;Buenos Aires;Rio de Janeiro;Santa Fe".split(
        ";"
    )
)
PLACE_ENDINGS = (
    "shire",
    "burgh",
    "borough",
    "ville",
    "stan",
    "mouth",
    "chester",
    "cester",
    "wich",
    "haven",
    "minster",
    "hampton",
    "sylvania",
    "gate",
    "moor",
    "marsh",
    "port",
    "ford",
    "bury",
    "land",
)

# Capitals that are no names of anybody or anywhere.
NO_NAMES = _set(
    "i monday tuesday wednesday thursday friday saturday sunday january february march april may june july august september "
    "october november december christmas easter michaelmas lent whitsun god gods heaven hell providence devil satan christ jesus bible scripture "
    "lord almighty creator english french german spanish italian russian american british irish scotch scottish welsh european african "
    "asian indian indians chinese japanese turkish greek roman latin hebrew arabic persian egyptian jew jews jewish christian christians christianity "
    "catholic catholics protestant protestants methodist baptist puritan puritans quaker mohammedan muslim islam buddhist negro negroes "
    "frenchman englishman irishman scotchman scotsman dutchman welshman germans americans romans greeks spaniards russians italians spaniard "
    "dutch swiss swedish danish norwegian polish austrian hungarian bohemian prussian saxon norman gothic gipsy gypsy victorian georgian elizabethan "
    "yankee cockney oh ah o yes no well why what how when where who whom whose which that this these those there here hey hello hullo alas bah pooh nay "
    "amen hurrah hush ok okay tis twas chapter book part volume act scene section prologue epilogue contents preface introduction footnote "
    "mr mrs miss ms dr sir madam madame majesty highness excellency honour honor worship grace lordship ladyship mama mamma papa mother father "
    "dad daddy mom mum mummy grandma grandpa granny uncle aunt auntie captain doctor colonel general professor sergeant inspector bishop king queen "
    "prince princess duke duchess emperor lord lady judge president governor parson reverend north south east west northern "
    "southern eastern western orient occident state government parliament congress senate law nature fate fortune death life love time truth beauty art "
    "science history latin algebra a.m p.m am pm esq jr sr ii iii iv vi vii viii ix xi xii nay aye ay ha la st mt vs etc tv usa uk "
    "renaissance reformation crusade crusades revolution republic college university church chapel street avenue park house hall road "
    "one two three four five six seven eight nine ten hundred thousand first second third last next another other others every each all some any none both few "
    "many most much more several such same".replace(" art ", " ")
)
FUNCTION = _set(
    "the a an and or but nor so yet for if then than as at by in of on to up off out over under with without within from into onto upon "
    "about above across after again against along amid among around before behind below beneath beside besides between beyond "
    "down during except inside near outside past since through throughout till toward towards until unless while whereas though although because "
    "he she it we they you him her them us me my his its our their your hers theirs ours yours mine himself herself itself "
    "themselves myself yourself ourselves is are was were be been being am do does did done have has had having can could may might must shall "
    "should will would not never ever always often sometimes perhaps maybe indeed now thus hence therefore however moreover nevertheless "
    "meanwhile otherwise instead still just only even too also very quite rather almost already once twice soon later presently suddenly finally "
    "eventually yesterday today tomorrow tonight please thank thanks come go let see look listen wait stop take give tell ask say said stay get make put keep hold "
    "good bad great little big long short old new young poor dear fine nice sure right wrong true false whatever whoever wherever whenever "
    "anybody anyone anything everybody everyone everything nobody nothing somebody someone something somehow somewhere anywhere nowhere everywhere "
    "either neither whether like unlike such half own enough no yes people men women man woman boy girl boys girls sir ma'am ladies gentlemen "
    "it's i'm i'll i've i'd don't didn't won't can't couldn't wouldn't isn't wasn't aren't that's there's what's he's she's you're we're they're let's you'll he'd she'd".replace(
        "\n", " "
    )
)
