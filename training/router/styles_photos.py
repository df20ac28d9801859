"""Everyday questions about photographs and pages, the largest part of the grammars; see `styles`."""

PHOTOS = """
# vqav2 | recognition
What is (he/she/the {person}/this person) (holding/wearing/doing/looking at/throwing/pulling/leaning on/carrying)?
What are (they/these people/the {person}s) (doing/playing/wearing/watching/riding/holding/sitting on)?
What is (he/she/it/the {animal}/the {person}) (sitting/standing/lying/laying/perched/walking) (on/in/near/next to)?
What is (on/in) (his/her/the {person}'s/its/the {animal}'s) (head/hand/lap/neck/face/wrist/mouth/shoulder/feet/back)?
What is (on/in/behind/under/beside/above/inside/hanging from/attached to) (the/this) {thing}?
What is in the (background/foreground/distance/sky/water/middle/picture/photo)?
What is the {person} (in {colour}/on the left/on the right/in the middle/in front) (doing/holding/wearing)?
What (fruit/vegetable/food/drink/meal/utensil/toy/tool/device/appliance/vehicle/object/item/flower/bird/insect/instrument) is (this/shown/in the picture/on the {thing}/being used)?
What (kind/type/sort) of (shoes/hat/shirt/pants/glasses/jacket/dress/hair/coat/helmet/uniform) (is/does) the {person} (wearing/have on)?
What (kind/type/sort) of (animal/bird/dog/tree/flower/building/room/vehicle/boat/truck/road/court/fence/floor/window/pizza/sandwich/ball/sport) (is this/is that/is shown/is it/are these)?
What (type/kind) of {thing} is (in the picture/on the {thing}/shown/behind the {person}/the {person} using)?
What are the {things} (on/in/sitting on/made of/doing)?
What is (being/getting) (served/cooked/prepared/sold/pulled/thrown/built/flown/carried/washed)?
What (game/sport) (is he/is she/are they/is the {person}) (playing/watching)?
What (is/are) (covering/surrounding/reflected in/growing on/leaning against/parked next to/flying over/sticking out of) the {thing}?
What is the (round/long/small/large/white/black/{colour}) (object/thing/item) (on/in/next to/behind) the {thing}?
What (meal/room of the house/part of the {animal}/side of the street) is (this/shown/it)?
What is (missing/cut off/hanging) (in/from/on) the {thing}?
Who is (in/on/wearing/holding/driving/behind/next to) the {thing}?
Which {person} is (wearing/holding/riding) (a/the) {thing}?
Which (animal/one/{person}/{thing}) is (closest/bigger/taller/on the left/{colour}/in front)?
Is this a (man or a woman/boy or a girl/cat or a dog/bus or a train/kitchen or a bathroom/city or the country)?
Is (he/she/it/this) (a {person}/a {animal}/a {thing}/a professional/a real {animal})?
Is this (in/at) (a/the) (place/{place}/{place})?
Is (this/it) (indoors/outdoors/inside or outside/day or night/summer or winter/a city street/a hotel room/a modern {place})?
What (is he/is she/are they) (about to hit/going to eat/trying to catch/getting ready to do/waiting for/reaching for)?
What (holiday/event/occasion) (is this/is being celebrated/might this be)?
What (country/city/state/continent) (is this/is this in/was this taken in)?
Where (are/is) (they/he/she/the people/these {things}) (sitting/going/standing/playing/at/kept)?
# vqav2 | attribute
What color (is/are) (his/her/their/its/the {person}'s/the {animal}'s) (shirt/pants/hair/hat/eyes/shoes/shorts/jacket/tie/dress/collar/tail/helmet/socks/gloves)?
What color (is/are) the (walls/floor/sky/grass/water/snow/ceiling/counter/tiles/curtains/leaves/sheets/cabinets/plate/bus/train/umbrella/frisbee/car in front/truck on the left)?
What (two/three/other/main) colors (are/is) (the {thing}/on the {thing}/in the picture)?
What is the (color/pattern/design/shape/texture) (of/on) the {thing}?
What (material/shape/pattern/size) (is/are) the ({thing}/{things}/floor/wall/fence/plate/mirror)?
What is the (floor/fence/wall/roof/building/table/road/counter/bench) made (of/out of)?
Is (he/she/it/this {person}/the {person}) (smiling/happy/old/young/left handed/bald/tall/in motion/wet/married/barefoot/alone/tired/hungry/male/female)?
Are (they/these people/the {things}/both {animal}s/all the {things}) (happy/the same color/the same/real/wild/ripe/fresh/full/clean/lit/related/young/adults)?
Is the (water/ocean/sky/grass/road/room/floor/street/beach/weather) (calm/clear/blue/green/wet/clean/crowded/cloudy/dry/tidy/rough/busy/paved/deep)?
Is the {thing} (on/off/open/closed/full/empty/moving/parked/broken/turned on/in focus/striped/made of {material}/lit/plugged in)?
Is the (light/lamp/television/computer/faucet/stove) (on/off)?
Is this (a/an) (old/black and white/color/vintage/recent/clear/close up/healthy/sunny/rainy/windy/formal/vegetarian) (photo/picture/meal/day/event/image/building/)?
Is it (sunny/raining/snowing/cold/hot/windy/night/daytime/warm/cloudy/winter/summer) (outside/in this picture/here/)?
Does (he/she/the {person}/the {animal}) (look/seem/appear) (happy/sad/tired/scared/old/angry/hungry/cold/young/comfortable)?
Does the {thing} (look/seem/appear) (new/old/clean/comfortable/expensive/fresh/safe/heavy/tasty/healthy)?
Does this (look/seem/appear) (delicious/healthy/fun/dangerous/like a {place}/like a {adj} {thing})?
How (old/big/tall/long/large/deep/high/fast) is (the {person}/this {animal}/the {thing}/the child/the water/the grass)?
How is the (weather/sky/water/{person} dressed/{person}'s hair)?
How (clean/busy/crowded/cloudy) is (it/the {place}/the sky)?
What is the (weather/mood/expression on the {person}'s face/style of the building/condition of the {thing})?
What time (is it/is on the clock/does the clock say/of day is it/of year is it)?
Has the {food} been (eaten/cut/cooked/sliced/bitten)?
Was this (photo/picture) taken (recently/at night/from above/indoors/in the winter/during the day)?
# vqav2 | counting
How many (people/men/women/kids/{animal}s/{things}) are (in this photo/in the photo/there/here/on the {thing}/wearing hats/standing/sitting/in the water/in the background/on the left)?
How many (of the people/of the {things}/of these) are (wearing/{colour}/{verb}/visible/facing left)?
How many (sinks/beds/windows/doors/lamps/chairs/towels/mirrors/pillows/burners/drawers/shelves) (are in this/are in the) ({place}/room)?
How many (slices/pieces/types/kinds/rows/layers/pairs) of ({food}/{things}/fruit/shoes/pizza) (are left/are there/are shown/do you see/are on the {thing})?
How many (legs/wheels/eyes/ears/arms/handles/buttons/stripes/windows/doors) (does/do) (the/this) {thing} have?
How many (legs/eyes/ears/horns/wings) (of the {animal} are visible/can be seen/does the {animal} have)?
How many {things} (is the {person} holding/does the {person} have/are on the {person}'s {part}/are not {colour}/can be seen/are being used)?
How many (floors/stories/levels) (does the building have/are on the bus)?
# vqav2 | existence
Are (there/any) ({things}/trees/clouds/people/shadows/mountains/flowers/leaves) (in the background/visible/in the picture/on the {thing}/in the sky/in the water/)?
Is there (a/any/an) ({thing}/{animal}/{food}/water/snow/grass/light/smoke/sand/writing/glass/ice) (in the picture/on the {thing}/on the ground/visible/in the background/here/nearby/)?
Is (anyone/someone/anybody/there anyone) ({verb}/wearing a {thing}/in the {thing}/in the water/watching/sitting down/on the {thing})?
Does (he/she/the {person}/this {person}/the {animal}/the {thing}/it) have (a/an/any) ({thing}/beard/mustache/tail/handle/collar/shadow/backpack/hat on/pockets/glasses/lid)?
Is (he/she/the {person}/this {person}) (wearing/holding/riding/using/eating/carrying) (a/an/any) ({thing}/glasses/gloves/a watch/jewelry/shoes/a tie/sunglasses/a helmet)?
Are (they/these people/the {person}s/all the people/any of the people) (wearing/holding/riding/eating/using/carrying) ({things}/hats/glasses/helmets/uniforms/the same thing)?
Can you see (any/the/a) ({things}/{person}'s {part}/{thing}/{animal}'s {part}/sky/ocean/reflection)?
Do (all/any of/both) (the/these) ({things}/{animal}s/people) have ({things}/tails/handles/stems/horns/hats)?
# vqav2 | spatial
Where (are/is) the ({things}/{thing}/{animal}/{person}'s {part}) (located/placed/standing/sitting/pointing/parked/)?
Is the {thing} (on/in/under/near/behind/in front of/next to) the {thing}?
Is the ({person}/{animal}) (on/in/under/near/behind/inside/outside/in front of) (the {thing}/the water/the house/the street)?
Which (side/hand/way/direction) (is the {thing} on/is the {person} facing/is the {animal} looking/is he pointing/does the arrow point/is the {thing} in)?
What (is/are) (the {person}/the {animal}/the {things}) (facing/looking at/in front of/next to/between/standing behind)?
Are the ({things}/{animal}s/people) (on the {thing}/in the water/facing the same way/in a row/in the shade/next to each other/on the left)?
What is (to the left of/to the right of/closest to/in between/directly behind/across from) the ({thing}/{person}/{animal}s)?
# gqa | attribute
Are (the/these/both the) {things} (to the left of/to the right of/near/behind/below/above) the {thing} ({adj}/{colour}/{material})?
Is the {thing} that is (to the left of/near/behind/on top of) the {thing} ({adj}/{colour}/{material}/round/plaid)?
Does the {thing} (near/on top of/behind/next to/below) the {thing} (look/appear) ({adj}/{colour}/large)?
Is the {thing} (both {adj} and {colour}/made of {material}/the same color as the {thing})?
How (large/tall/long/old/big) is the ({thing}/{animal}/{person}) (to the left of the {thing}/that is {colour}/behind the {person}/)?
How is the (weather/{thing}) in (this/the) (image/picture/photograph)?
What (material/color/shape/size) is the {thing} (on the/to the left of the/next to the) {thing}?
What (color/material) (do you think/) is the {thing} (that is/) (on/behind/near) the {thing}?
Which color is the {thing} (to the left of/near/below/above) the {thing}?
Is the (sky/water/grass/sand/street/ground) (clear/{colour}/{adj}/cloudy/dry/short)?
# gqa | existence
Are there (both {things} and {things}/either {things} or {things}/any {things}/{things}) in (the/this) (image/picture/photograph)?
Is there (either a {thing} or a {thing}/a {thing} or a {thing}/any {thing}) (that is {colour}/in the picture/in the scene/near the {thing})?
Do you see (any {things}/either {things} or {things}/a {thing} there/{things} that are {colour}) (there/in this image/)?
Are there any {things} (on top of/near/under/behind/to the left of/in front of) the {thing} (that is {colour}/on the right/)?
Is there a {animal} (to the left of/behind/in front of/near) the {thing} (that is {rel} the {thing}/)?
Do the {things} (on/near/in front of) the {thing} (look/appear) {adj}?
Does (the/that) {thing} (seem/appear/look) to be {adj}?
# gqa | recognition
What (animal/vehicle/device/appliance/furniture/fruit/vegetable/item of furniture/piece of clothing) is (on top of/beneath/beside/behind/inside/in front of/near) the {thing}?
What (is/are) the (animals/vegetables/fruits/people/cars/{things}) (on/near/behind/in front of/inside) (of/) the {thing}?
How is the (item of furniture/piece of furniture/clothing item/vehicle/animal/fruit/vegetable/appliance/kitchen utensil/device) (that is {colour}/that is {adj}/on the {thing}/near the {thing}) called?
What is the {person} that is (to the left of/behind/in front of) the {thing} (wearing/holding/doing)?
What is the {person} (jumping off of/leaning on/looking at/pulling/sitting in/standing next to/swinging)?
Who is (wearing/holding/carrying/{verb} on) the {thing}?
Which kind of (vehicle/animal/furniture/food/device/clothing/fruit) is (this/not {colour}/{rel} the {thing}/it)?
The {thing} is (inside/on/near/under) what?
The {things} are (in front of/on top of/behind) what?
Who (wears/is wearing) a {thing}?
# realworld | spatial
How far (away/) (is/are) the ({thing}/{things}/vehicle in front of us/closest pedestrian) (from us/from the camera/)?
Which (way/direction) (does/can/should/is/are) (the {thing}/we/the arrow/the car/the road/this street) (go/open/turn/point/facing/curve)?
Which ({thing}/object/plant/car/dog/bottle/person) is (closer/closest/taller/the tallest/the smallest/nearer to us/further away/the biggest)?
How many (meters/feet/lanes/vehicles) (away is the {thing}/are on this road/can be seen/are ahead of us/are within {n} meters)?
If I (stay in the current lane/keep going straight/turn right/turn left), (which highway will I be on/where will I go/what will I pass/can I make it)?
What is (the object/the sign/the vehicle/) (in front of us/on our left/on our right/straight ahead/ahead of us)?
Is the {thing} (bigger/smaller/taller/closer/further) than the {thing}?
Can the (car/truck/bus/person) (in front of us/ahead/on the right) (turn left/pass/cross)?
What direction (can/should/do) we (go/turn/face)?
# realworld | counting
How many (pedestrians/cars/vehicles/traffic lights/signs/lanes/{things}) (are there/are in front of us/do you see/are ahead/are visible in this image/are located in this image)?
How many ({things}/door hinges/steps/buttons/windows/people) are (located/visible/present/shown/there) in (this/the) (image/scene/photo)?
# realworld | ocr
What (is the speed limit/does the sign say/is the street name/exit is this/is the name of this street/number is on the bus/lane goes to {name})?
# seed | recognition
What (is/are) the ({person}/people/{animal}s) in the (image/picture/center/background/foreground) (doing/wearing/holding/looking at/standing on)?
What (object/item/animal/type of vehicle/structure/body of water) (is/can be seen) (in the {side} of the image/behind the {person}/on the {thing}/next to the {person}/in the foreground)?
Who is (standing/sitting) (closest to/next to/behind) the {thing} in the image?
Which of these (objects/colors/people/animals/items) is (not present/most prominent/closest to the camera/in the image)?
What is the (primary/dominant/main) (activity/color/subject/focus/setting) (in/of) the (image/scene)?
Where (is/was) (this/the) (image/photo/picture) (likely/) taken?
# mmbench | recognition
Which scene category matches this image the best? A. {place} B. {place} C. {place} D. {place}
Which of the following captions best describes this image? A. A {person} {verb} B. A {person} {verb} C. A {animal} {verb}
Which of the following (categories/emotions/styles/options) (best describes/matches) (this/the) (image/picture)? A. {place} B. {adj} C. {thing}
What sport (are they athletes of/is shown/does this {person} play)? A. swimming B. diving C. shooting
What (material/colour/shape) is this {thing} made of? A. {material} B. {material}
# textvqa | ocr
what (is/are) the (three/two/last/first/) (letters/numbers/digits/words) (on/at the top of/under/in) the {sign}?
what (letter/letters/number) and (number/numbers/letter) (is/are) on the {sign}?
what (does/is) (this/the) ({sign}/app/button/sticker/magnet/neon sign/mug/coin/tag/note) (advertise/advertising/selling/for/say/read)?
what (musical/movie/event/concert/product/game/band/song/album/drink/team/school/bank) (is/does) (this/the {sign}) (advertise/advertising/called/promote/from/)?
what (type/kind/brand/flavor/model/size/percentage/edition/volume) of ({food}/{thing}/phone/computer/wine/soda/chips/beer/book/magazine/watch/camera/tablet) is (this/it/shown/on the left)?
what (is/are) (the/this) ({thing}/player/runner/racer/jersey/bus/train/plane/car) number?
what number (is/does) (the/this) (player/runner/bus/train/plane/{person}) (wearing/have/wear/on)?
who (is/was/are) (the/this) (author/player/director/publisher/sponsor/manufacturer/book by/speaker/team playing against/maker)?
what (day/month/date/year/time/temperature/channel/page/percentage) (is/does) (it/this/the {sign}/displayed/shown/showing on the screen/say)?
what (airline/company/bank/store/newspaper/university/restaurant/network/hotel) (is/owns/made) (this/it/the {thing}/advertised/on the {sign})?
what (does/is) the ({colour}/bottom/top/first/second/small/large) ({sign}/text/word/letters/writing/button/logo) (say/read/spell)?
is (this/the {sign}) (a/an/from) ({brand}/{country}/{name}/{brand} {thing})?
are (these/they) ({brand}/on sale/{country}) ({things}/)?
how (much/many) (is/are/does) (the/this) ({food}/{thing}/ticket/a gallon of gas) (cost/worth/)?
how many (grams/ounces/ml/percent/minutes/miles/pages/megapixels/points) (is/are/does/of {food} are) (in this/on the {sign}/left/shown/it have)?
# docvqa | extraction
What is (the cost/cost/the price/the amount/the quantity/the number/the total) of (liquid nitrogen/{goods}/chemicals and supplies/travel/equipment/{name}/salaries) (in the table/as per the {doc}/)?
How many ({things}/children/patients/subjects/rats/samples/members/employees/shares/pages/copies) (were/are/was) (studied/found/mentioned/used/listed/given/fed the diet/returned/present) (in the {doc}/as per the {doc}/)?
What percentage of (smokers/non-smokers/people/consumers/respondents/women/patients) (feel/use/prefer/felt/said) (the need to {verb}/there should be less emphasis on money/{goods}/that it is good) (as per the {doc}/)?
What is the ('actual'/'budget'/'total'/average/maximum/minimum/estimated) (value/cost/weight/dose/temperature/age/amount) (per 1000/in grams/during the year {year}/for "GROUP {pt}"/for {name}/in the third week/of {brand})?
Why (did/does/was) ({brand}/the company/{name}) (cancel/write/decline/decrease/call/launch) (the meeting/this {doc}/)?
What (is/are) the (two/three/main/different) (objectives/topics/types/reasons/uses/points/items) (mentioned/listed/given) in the {doc}?
Who is (the {doc} from/the {doc} to/the sender/copied on the {doc}/in the photo/the {doc} addressed to/{name})?
What is the (designation/title/position/address/email id/extension) of {name} (as per the {doc}/given/)?
What is (given/written/mentioned/printed) (in bold/below the logo/at the top left/in the header/after the heading/against {field})?
When (is/was) the ({doc}/meeting/session/study/contract) (scheduled/signed/due/held/approved/published)?
Which (year/month/quarter/state/country/brand/group/compound/university) (is/was) (mentioned/given/listed/shown) (in the {doc}/first/in the heading)?
What (time/is the time) (is the {event}/does the session start/for lunch/for the coffee break)?
What is the (figure/table/page/exhibit) number?
What does the (abbreviation/acronym) {brand} (mean/stand for)?
According to the {doc}, (who/what/when/where) (is {name}/was approved/is the {field}/should be sent)?
# infovqa | extraction
What (percent/percentage) of (people/users/women/men/companies/Americans/kids/the population/shoppers) (are/have/do not/said/use/own/live in/believe) ({verb}/{goods}/{brand}/{country}/a job/no savings)?
How many (people/users/tips/steps/types/countries/companies/deaths/cases/facts) (are/were/have/use) (shown/listed/mentioned/infected/reported/given in the infographic/{brand})?
Which (are the/two/three) (countries/companies/symptoms/apps/foods/animals) (have/mentioned/listed/shown) (in the infographic/more than {n}%/under {field})?
What (is/was) the (total/average/estimated) (number/cost/amount/value) of ({goods}/{group}/{brand}) (in {year}/in the {country}/worldwide)?
Which (country/city/state/brand/player/platform/social media) (is/has/comes) (ranked/listed/) (second/third/fourth/last) (in the list/in {topic}/)?
What is the (colour/color) of the ({thing}/text/flag/{animal}/heading/icons), ({colour}, {colour} or {colour}/{colour} or {colour})?
How many (icons/images/{things}/pictures/logos) (are/of {person}s are) (there/shown/in the infographic)?
What (should/do/can) (you/people/employers) (do/avoid/eat/wear) (to prevent {event}/when {verb}/after {verb}/in {event})?
What are the (two/three/different/main) (types/ways/modes/stages/reasons) (of/to) ({science}/{verb}/{food}) (listed/mentioned/)?
What is (the website/the source/the hashtag/the third tip/the second step/the last point) (given/mentioned/at the bottom)?
"""
