"""Words that fill the templates of `styles`: wide on purpose, so that only the frame is learned."""

SLOTS: dict[str, str] = {
    "person": "man|woman|boy|girl|person|child|player|lady|guy|baby|skateboarder|surfer|chef|worker"
    "|skier|batter|rider|officer|tourist|kid|bride|farmer"
    "|pitcher|catcher|lady in front|tennis player|cyclist|waiter|policeman|teacher|toddler"
    "|snowboarder|driver|bride and groom|old man|little girl|young man|guy in the back",
    "animal": "dog|cat|horse|elephant|giraffe|zebra|cow|sheep|bird|bear|duck|monkey|lion|puppy|goat"
    "|seagull|kitten|penguin|rabbit|pig|chicken|parrot|turtle|deer|owl|goose|camel|tiger"
    "|pigeon|squirrel|lamb|bull|polar bear|dolphin|fish",
    "thing": "car|bus|train|plane|boat|truck|bicycle|motorcycle|table|chair|couch|bed|clock|vase"
    "|umbrella|kite|skateboard|surfboard|laptop|phone|keyboard|book|bottle|cup|plate|bowl|knife"
    "|pizza|sandwich|cake|banana|apple|orange|carrot|hat|shirt|jacket|shoes|tie|bag|suitcase"
    "|window|door|wall|floor|building|tree|bench|fence|sign|traffic light|fire hydrant|toilet"
    "|sink|oven|refrigerator|lamp|television|mirror|curtain|ball|racket|bat|helmet|glasses|towel"
    "|flower|grass|sky|road|bridge|mountain|boat|wheel|basket|pillow|candle|box|desk|shelf|rug"
    "|bookshelf|microwave|stove|dishwasher|faucet|bathtub|shower|blanket|frisbee|snowboard"
    "|skis|wine glass|fork|spoon|napkin|backpack|handbag|purse|gloves|belt|sunglasses"
    "|necklace|watch|boots|sneakers|jeans|shorts|sweater|dress|skirt|coat|scarf"
    "|remote control|mouse|monitor|printer|cell phone|camera|speaker|headphones|pen|paper"
    "|newspaper|magazine|poster|picture frame|painting|calendar|map|flag|balloon|toy"
    "|teddy bear|doll|stroller|cabinet|drawer|counter|dresser|nightstand|ceiling|fan"
    "|fireplace|staircase|ladder|gate|fence post|pole|street light|mailbox|parking meter"
    "|trash can|sidewalk|crosswalk|van|taxi|tractor|scooter|helicopter|engine|tire"
    "|license plate|windshield|headlight|seat|handle|button|rope|leash|collar|saddle|hay"
    "|rock|sand|snow|wave|water|river|lake|leaf|branch|bush|pot|pan|tray|jar|can|mug|straw"
    "|donut|hot dog|burger|fries|salad|broccoli|tomato|onion|lettuce|cheese|bread|egg|rice"
    "|cookie|pie|ice cream|lemon|grapes|strawberry|pepper|potato|mushroom|tennis net|goal"
    "|swing|slide|statue|fountain|tower|roof|chimney|balcony|tent|barn|platform|track|wing"
    "|tail|tablecloth|toaster|blender|kettle|soap|toothbrush|hair dryer|scissors|apron|cap",
    "things": "people|cars|dogs|cats|birds|horses|sheep|cows|elephants|zebras|giraffes|boats|planes"
    "|bikes|chairs|windows|trees|umbrellas|kites|bananas|apples|donuts|pizzas|slices|plates"
    "|bottles|cups|books|lights|signs|wheels|buttons|pillows|flowers|bears|surfboards|skis"
    "|candles|buses|trains|clocks|towels|animals|men|women|children|players|legs|hands|balls"
    "|cookies|objects|items|vehicles|lamps|monitors|laptops|screws|coins|boxes"
    "|benches|skateboards|motorcycles|carrots|oranges|tomatoes|pots|pans|spoons|forks"
    "|knives|glasses|vases|tables|beds|sinks|doors|drawers|cabinets|shelves|pictures"
    "|magnets|toilets|mirrors|remotes|phones|keyboards|bags|backpacks|suitcases|hats|ties"
    "|shoes|helmets|rackets|bats|kids|girls|boys|players|riders|fences|poles|street lights"
    "|flags|balloons|leaves|rocks|clouds|mountains|buildings|trucks|taxis|wings|tires"
    "|fruits|vegetables|sandwiches|hot dogs|cupcakes|eggs|pieces of pizza|ducks|seagulls"
    "|goats|kittens|puppies|teddy bears|toys|rugs|curtains|blankets|stairs|steps|rails"
    "|tracks|ropes|baskets|bowls|trays|napkins|stripes|spots",
    "colour": "red|blue|green|yellow|white|black|brown|orange|pink|purple|gray|teal|silver|gold",
    "shade": "Web Maroon|Dark Periwinkle|Sky Blue|Hot Pink|Dim Gray|Olive Drab|Light Slate|Cadet Blue"
    "|Royal Blue|Navy Blue|Burlywood|Tomato|Chartreuse|Violet Red|Deep Sky Blue|Dark Cyan|Peru"
    "|Medium Seafoam|Orange Red|Light Gold|Midnight Blue|Saddle Brown|Lawn Green|Dark Orchid",
    "food": "pizza|sandwich|salad|cake|soup|bread|cheese|pasta|donut|burger|rice|meat|vegetable"
    "|fruit|dessert|sauce",
    "place": "kitchen|street|park|beach|bathroom|living room|field|zoo|restaurant|office|airport"
    "|station|store|bedroom|yard|harbor|stadium|market|classroom|garden|church|subway|library"
    "|bus stop|hotel room|dining room|train station|parking lot|sidewalk|forest|desert"
    "|mountain|lake|river|farm|baseball field|tennis court|ski slope|museum|school|hospital"
    "|city|village|bakery|hallway|balcony|basement|garage",
    "verb": "sitting|standing|walking|running|jumping|eating|playing|riding|holding|wearing|looking"
    "|sleeping|smiling|cooking|talking|reading|swimming|flying|swinging|carrying|cutting"
    "|surfing|skiing|skateboarding|waiting|posing|pointing|throwing|catching|hitting"
    "|kneeling|bending|leaning|lying down|laying down|drinking|grazing|driving"
    "|crossing the street|using a phone|taking a picture|brushing|kicking|pulling|pushing"
    "|climbing|resting|barking|parked|moving|texting|shopping|watching",
    "part": "head|hand|left hand|right hand|face|back|leg|arm|neck|hair|mouth|foot|tail|ear",
    "material": "wood|metal|plastic|glass|leather|stone|paper|fabric|concrete|brick",
    "side": "left|right|top|bottom|left side|right side|middle|center|corner|background|foreground"
    "|upper left|lower right|far left",
    "rel": "to the left of|to the right of|above|below|behind|in front of|next to|beside|on top of"
    "|under|near|inside|between",
    "field": "date|total|total amount|invoice number|address|phone number|name|company name|tax"
    "|subject|title|page number|fax number|zip code|city|state|department|account number|email"
    "|signature|amount due|order number|telephone number|price|net weight|expiry date|cash|change"
    "|document number|author|footer|heading|designation|room number|report number|brand name",
    "doc": "document|letter|invoice|receipt|form|memo|report|table|page|certificate|contract|bill"
    "|advertisement|menu|ticket|card|slide|resume|schedule|newspaper|infographic",
    "sign": "sign|shirt|jersey|license plate|bottle|label|billboard|book cover|bus|truck|storefront"
    "|screen|box|poster|wall|banner|clock|can|package|hat|plane|boat|door|street sign|street",
    "country": "Germany|France|Brazil|China|India|Japan|Canada|Mexico|Italy|Spain|Kenya|Norway"
    "|Australia|Turkey|Poland|Chile|Egypt|Greece|the UK|the United States|South Korea|Finland",
    "topic": "population|sales|revenue|exports|imports|unemployment rate|GDP|expenditure|profit"
    "|life expectancy|share of respondents|number of users|CO2 emissions|birth rate|debt|score"
    "|market share|production|mortality rate|enrollment|usage|growth rate|inflation|price",
    "group": "men|women|Democrats|Republicans|adults|millennials|18-29 year olds|Facebook|YouTube"
    "|Android|Apple|Samsung|agriculture|industry|services|good|bad|favorable|unfavorable|online"
    "|mobile|desktop|urban areas|rural areas|hotels|category A|imports|males|females",
    "year": "1990|1998|2000|2004|2007|2009|2010|2012|2014|2015|2016|2017|2018|2019|2020|2021",
    "n": "2|3|4|5|6|7|8|9|10|12|15|20|24|30|45|50|60|75|90|100|120|150",
    "f": "0.5|1.5|2.4|3.6|4.5|5.2|7.5|9.8|12.5|37.2",
    "pt": "A|B|C|D|E|F|M|N|P|Q|O",
    "seg": "AB|BC|CD|AC|AD|DE|BD|CE|EF|PQ|OA|MN",
    "tri": "ABC|DEF|ADE|BCD|PQR|ABD|JKL|XYZ",
    "organism": "grasshoppers|frogs|snakes|hawks|mice|rabbits|foxes|owls|algae|zooplankton|krill"
    "|fish|plants|caterpillars|wolves|deer|seals|eagles|phytoplankton|crickets|lizards",
    "science": "photosynthesis|respiration|evaporation|condensation|erosion|pollination|mitosis"
    "|an eclipse|the water cycle|the rock cycle|digestion|germination|magnetism|friction",
    "organ": "stomach|heart|lung|kidney|liver|root|stem|leaf|petal|stamen|nucleus|cell membrane"
    "|mitochondrion|aorta|femur|retina|cornea|trachea|ovary|skull|larva|pupa|crust|mantle|core",
    "substance": "water|salt|copper|granite|oxygen|carbon dioxide|iron|sulfur|glucose|ammonia",
    "usstate": "Wyoming|Vermont|Ohio|Texas|Nevada|Maine|Georgia|Oregon|Utah|Kansas|Montana|Iowa",
    "name": "Emily|Jack|Olivia|Marcus|Anna|Ben|Lucy|Omar|Wei|Sofia|Tom|Nina|Carlos|Kate|David",
    "goods": "apples|pencils|marbles|stickers|cookies|tickets|books|shells|stamps|muffins|balloons",
    "shape": "circle|square|triangle|cylinder|cube|sphere|rectangle|star|block|ball|pentagon",
    "size": "small|large|tiny|big",
    "mat": "metal|rubber|matte|shiny|metallic",
    "adj": "old|young|tall|happy|dirty|clean|open|closed|empty|wet|broken|full|new|long|short"
    "|large|small|round|wooden|thin|thick|dark|bright|striped|shiny|heavy|tiny|colorful|dry"
    "|fresh|ripe|sliced|bald|calm|busy|modern|soft|rusty|fluffy",
    "event": "wedding|birthday|parade|race|game|festival|protest|holiday|concert|graduation",
    "language": "French|Spanish|German|Chinese|Japanese|Italian|Python|JavaScript|HTML|SQL",
    "algo": "binary search|quick sort|a linked list|a REST API|merge sort|a hash table|recursion",
    "abstract": "love|time|the sea|autumn|a dragon|friendship|robots|the moon|a lost key",
    "work": "painting|sculpture|building|monument|bridge|church|tower|castle|album|film|poster",
    "brand": "Coca Cola|Nike|Ford|Toyota|Adidas|Sony|Heinz|Pepsi|IKEA|Canon|Dell",
    "model": "BERT|ResNet|GPT-2|the baseline|our method|LSTM|CNN|SVM|the proposed model",
    "dataset": "MNIST|CIFAR-10|ImageNet|SQuAD|COCO|the test set|the validation set",
}
WORDS = {name: tuple(text.split("|")) for name, text in SLOTS.items()}
