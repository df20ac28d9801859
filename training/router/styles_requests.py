"""Requests as people and instruction data word them: descriptions, places, names, help to see.

As in `styles`: `style | task`, then one template a line.
"""

REQUESTS = """
# caption | captioning
(Describe/Explain/Summarize/Summarise/Illustrate/Outline/Analyze/Characterize/Narrate) (the/this) (image/photo/picture/scene/photograph) (in detail/briefly/concisely/thoroughly/with a few words/in one sentence/in full/).
(Give/Provide/Offer/Write/Present/Share/Compose/Render/Create) (a/an) (brief/short/concise/clear/detailed/comprehensive/thorough/complete/succinct/accurate/compact/rich) (description/summary/explanation/account/overview/interpretation/depiction/rundown/analysis/portrayal) of (the/this) (image/photo/picture/scene/provided image/picture shown/image below).
(Describe/Explain/Clarify/Detail/Break down/Examine/Walk through/Point out/List) the (various/main/different/visible/key/important/) (aspects/elements/contents/details/features/parts) (of/in) the (image/photo/picture/scene) (before you/presented/displayed/shown/you see/given/).
What (can you/do you/could you) (see/perceive/observe/notice/make out/tell me about) (in/on/about) (this/the) (image/photo/picture/scene)?
(Can/Could/Would) you (describe/summarize/explain/caption/tell me about/give me the gist of) (this/the) (image/photo/picture/scene) (for me/in detail/in a few words/please/)?
(Describe/Write down/Tell me/State) (everything/what/all that) (you see/is visible/you can see/is there/is going on/happens) in (this/the) (image/photo/picture/scene).
(Caption/Title) this (image/photo/picture).
Give (a/one) (sentence/caption/line/paragraph/headline) (describing/for/that describes/that sums up) (the/this) (image/photo/picture).
Write a (terse/vivid/factual/neutral/one-line/long/descriptive) (caption/sentence/paragraph/summary) (for/about/of) the (image/photo/picture/scene) (shown/above/provided/).
What is the (image/photo/picture) (about/showing/of)?
What is (depicted/displayed/portrayed/captured/featured/happening/going on/taking place) in the (image/photo/picture/scene)?
Generate (a/an) (caption/description/alt text) (for/of) (this/the) (image/photo/picture).
In (one/two/three/a few) (sentence/sentences/words), (describe/summarize/say) what (the image/this photo/the picture) (shows/is about/depicts).
# refer | spatial
Where is the {thing}? Answer with (a bounding box/its bounding box/coordinates).
(Please provide/Provide/Give/Output/Return/Predict) the (bounding box/coordinates/bounding box coordinates/box/pixel location) (of/for) the {thing} ({rel} the {thing}/in {colour}/).
(Please provide/Provide/Give) the bounding box coordinate of the region this sentence describes: (the/) ({colour} {thing}/{person} {verb}/{person} in {colour}/{thing} {rel} the {thing}).
Bounding box coordinates are (given/specified/normalized) (as/in the format) (x1, y1, x2, y2/top left, bottom right). (Find/Locate/Detect/Give the box of) the ({person} in {colour}/{colour} {thing}/{animal} on the {side}).
(Locate/Find/Detect/Point to/Point at/Highlight/Select/Mark/Segment/Ground) the (region/part of the image/area/object/portion of the image) (that shows/described by/with/matching) (the/a) ({person} {verb}/{colour} {thing}/{thing} {rel} the {thing}/{person} in {colour}).
(Locate/Find/Detect/Point to/Point at/Show me) (the/all the/every) ({thing}/{animal}/{person}/{things}) (in the image/in this picture/on the {side}/).
In which (part/corner/region/quadrant/area) of the (image/photo/picture) is the {thing}?
What are the coordinates of the {thing}?
Which (object/region/box/point) (is/corresponds to/matches) the ({colour} {thing}/{thing} {rel} the {thing})?
# refer | recognition
What (is/object is/can be seen) (in/inside/at) (the/this) (region/box/bounding box/marked area/red circle/highlighted area/green rectangle/) [{f}, {f}, {f}, {f}]?
(Provide a short description/Describe/Give a caption) (for/of) (this/the) region (:/of the image:) [{f}, {f}, {f}, {f}].
What is (marked/circled/outlined/highlighted/pointed at) (in red/in green/by the arrow/with the box/) (in the image/)?
# classify | recognition
(Identify/Name/Recognize/Classify/Tell me/Label/Determine) the (main/) (object/scene/animal/plant/vehicle/species/breed/food/category/activity/place/landmark/item/logo) (shown/in/depicted in/visible in/seen in) (the/this) (image/photo/picture).
(What/Which) (object/scene/animal/plant/vehicle/species/breed/food/activity/class/category) (is shown/is depicted/does this image show/is this/best describes the image/can be seen here)?
What is the name of (this/the) ({thing}/{animal}/{food}/plant/flower/bird/object/dish/tool/building) (in the image/shown/)?
Classify (this/the) (image/photo/picture) (into one of these classes: {thing}, {animal}, {food}/./as {thing} or {animal}.)
Is this a photo of a ({thing}/{animal}) or (a/an) ({thing}/{animal})?
Which (celebrity/actor/landmark/artwork/movie/brand) is (this/shown/in the picture)?
# vizwiz | recognition
(Hi/Hello/Hey/Good morning/Okay/Yes), (can/could) you (please/kindly/) (tell me what/describe what/identify what/let me know what) (this/this item/this product/the picture) is?
(What's/What is/Whats) (this/that/in front of me/in my hand/on my table/here/on this/in the box)?
(I want/I'd like/I would like/I need/I just want) to know (what/which) (this is/this bottle is/kind of {food} this is/the picture is about/is in this can).
(Tell me/Please tell me) (what this is/what I am holding/which one this is/what you see).
What('s/ is) (this/the) (picture/photo/image) (about/of)?
Can you see (this/it/the {thing}) (clearly/now/okay/in the picture)?
# vizwiz | attribute
What (color/colour/pattern) (is/are) (this/these/my) ({thing}/shirt/socks/pants/blouse/curtains/wall)?
Is (this/that) my ({colour}/) ({thing}/folder/bag/shirt)?
(Is this/Are these) ({colour} or {colour}/{material} or {material}/on or off/open or closed/full or empty/clean or dirty)?
(These/This) ({things}/{thing}) (should/must) be (either {colour} or {colour}/{colour}), (which one/what colour/is that right)?
Is the (light/oven/screen/computer/heater) (on/off)?
# vizwiz | ocr
(What/Can you read what/Please read what/Could you tell me what) does (this/the) (label/screen/display/bottle/letter/package/card/button/sign) (say/read)?
(What/What's) (is the/the) (expiration date/flavor/cooking time/phone number/dosage/brand/name of this medicine/oven temperature/denomination of this bill) (on this/here/please/)?
(Could/Can/Would) you (please/kindly/) read (this/the label/what it says/the instructions/the dosage/the text/the screen) (for me/to me/on this bottle/please/)?
(It doesn't say/I can't find/I cannot see) (what flavor this is/the expiration date/what it says).
What (is on the/does the) (computer screen/thermostat/microwave/laptop) (/say/show)?
How much (money is this/is this bill)?
# okvqa | knowledge
(What/Which) (country/city/region/culture/religion/century/decade) (is this {food} from/did this sport originate in/is this {animal} native to/is this building in/does this {thing} come from)?
Who (invented/made famous/is known for/wrote about/popularized) (this/the) ({thing}/{food}/sport/dance/style)?
What (causes/is needed for/happens during/helps with/is made from) (this/the) (weather/phenomenon/{food}/condition/effect/light) (shown here/in the photo/)?
How (long/fast/far/often/tall/heavy) (does/can/do/is) (this {animal}/a {animal} like this/this kind of {thing}/this {food}) (live/run/usually/last/get/weigh/sleep)?
What (vitamin/nutrient/protein/material/ingredient) (is in/is found in/does one get from/is this {food} made of/is it rich in)?
What is the (capital/common name/scientific name/purpose/complementary color/opposite/nickname/history/origin) of (this/the) ({thing}/{animal}/country/sport/{food}/{colour} {thing})?
What (holiday/season/event/occasion/war/movie/song/phrase) (is associated with/is celebrated with/uses/mentions/is named after) (this/the) ({thing}/{animal}/{food})?
How many (people/players/passengers/calories/teeth/bones/hours) (can/does/do/are in) (this {thing}/a team of this sport/this stadium/this {animal}/this {food}) (hold/have/fit/need/)?
What (sport/game/dish/tool/profession) is (this/it) (used for/a part of/related to/often compared with/as American as)?
What do (you call/we call/people call) (a person who/an animal that/the place where/someone that) ({verb}/fixes {things}/eats only plants/lives in trees)?
# aokvqa | commonsense
What is the {person} (by the {thing}/in the {thing}/with the {thing}/) (probably/likely/) (awaiting/waiting for/about to do/planning to do/trying to do/going to do next/celebrating)?
What (occasion/event/holiday/job/hobby/season) (is/are) (the {person}/the {animal}s/they/these people) (probably/likely/most likely) (celebrating/enjoying/preparing for/having)?
What is the {thing} (near/on/by/next to/behind) the {thing} (used for/used to hold/meant for/there for/designed to do)?
What (might/could/would) (the {person}/the {animal}/they/someone here) (need/be afraid of/do/want/say/feel) (next/if it rained/in this situation/)?
Judging by (this picture/the {thing}/their clothes/the score/the weather), (who is winning/what season is it likely to be/what might happen/where are they going)?
Why (might/would/could) (the {person}/someone/this {animal}) (be {verb}/wear a {thing}/need a {thing}/be here)?
What is (funny/strange/unusual/odd/ironic/wrong/surprising/impossible) (about/in) (this/the) (image/picture/photo/scene/meme)?
How (do/would/can) (I/you/one/someone) (cook/make/use/fix/repair/clean/operate/prepare) (this/the) (dish/{food}/{thing}/machine)?
# mmecog | commonsense
(Can/May/Should/Am I allowed to) I (smoke/park/swim/drive/turn left/enter/fish/ride a bike/take pictures/stop) (here/where this picture was taken/at this place/in this area/under this sign)?
Is it (safe/legal/appropriate/allowed/OK/suitable/possible) to ({verb}/park/swim/smoke/cross/drive fast) (here/in the place of the picture/on this road/now/at this time)?
Should (I/one/the driver/the {person}) (stop/wait/wear formal wear/turn right/slow down/bring an umbrella/call for help) (here/when this light is on/in this scene/in the picture/)?
Will the ({thing}/car/{person}/{animal}) in the picture (turn right/turn left/stop/fall/hit the {thing}/go straight) (next/after this/)?
Is this (a good/the right/an appropriate) (place/time/way) to ({verb}/have a picnic/swim/sleep/park)?
# mmvp | attribute
(Is/Are) the ({thing}/{animal}/{person}/{things}) ({adj}/{colour}/{verb}) (or/or not) ({adj}/{colour}/)? (a) (Yes/{adj}/{colour}) (b) (No/{adj}/{colour})
(Does/Do) the ({animal}/{person}/{thing}) have (its mouth open/a {thing}/shadows/long hair/visible wings)? (a) Yes (b) No
Is the (image/picture/photo) (taken/shot/shown) (from above/from the side/at night/in the daytime/more likely of one {thing} or several {things})? (a) (Above/Yes/Single) (b) (Below/No/Multiple)
In the (picture/image), (is/are) the ({thing}/{things}) ({adj}/{colour}/{verb}/facing left) or ({adj}/{colour}/facing right)? (a) {adj} (b) {adj}
Based on the image, is the following statement correct: (the {animal} is {verb}/we can see a {thing}/the {thing} is {colour}/the {things} are {adj})? (a) (Correct/Yes) (b) (Incorrect/No)
(Did/Has) the ({animal}/{person}) (close its eyes/open its mouth/put a {thing} on the {thing}/raise one {part})? (a) Yes (b) No
# mmvp | spatial
(Is/Are) the ({thing}/{animal}/{person}/{things}) (on the left/on the right/in front/behind the {thing}/facing the camera/pointing up/touching the {thing}/leaning against the {thing}) or (on the right/not/away/holding hands/pointing down)? (a) (Left/Yes/Up) (b) (Right/No/Down)
(Which/What) (direction/side/way) (is/are) the ({thing}/{animal}/{person}) (facing/pointing/turned/leaning)? (a) (Left/Up/Forward) (b) (Right/Down/Backward)
# realworld | spatial
Is the {colour} ({thing}/object/one) (bigger/smaller/taller/higher/closer/wider) than the ({thing}/{colour} one/other)?
Which (object/one/box/{thing}/car) is (bigger/smaller/taller/closer/the largest/the third largest/the closest/farther) (than the other/of the two/to us/in the picture/) (A. The {thing} B. The {thing}/)?
# illusion | attribute
Are the (two/center/inner/middle) (lines/circles/areas/squares/shapes/dots) (of the two {things} /)(of the same size/identical/the same colour/parallel/equally long) (in this image/)?
Is the (left/right/upper/lower/inner) ({colour}/) ({shape}/line/area) (larger/longer/brighter/darker) than the (right/left/lower/upper/outer) (one/{shape}/line)?
# compositional | multi_hop
What (animal/{thing}/is) (in front of/behind/beside/next to/to the left of/to the right of) the {person} that is ({verb}/looking at the {thing}/to the right of the {person}/wearing a {thing})?
(Is/Are) the {colour} {things} (behind/in front of/next to) the {thing} that is (to the right of/to the left of/below) the {thing}?
What is the {person} who is {rel} the {thing} that is {colour} (holding/wearing/looking at)?
# infovqa | extraction
What (percentage/percent/share) of ({country}'s people/Canadians/Americans/{group}/shoppers/employees/teens) (still/prefer to/now/mostly) ({verb}/buy {goods}/go to stores/work from home/use {brand})?
Which (states/countries/cities/teams/apps) (has been/have been/are) (included/listed/shown/mentioned/placed) under ('{adj}'/the "{name}" category/{brand}/{field})?
What was the ({field}/dose/weight/level/value/cholesterol) (by/in/after/at) the ({n}th week/{year} report/fourth month/end) (for #{n} {animal}s/for {name}/of {group}/)?
# chat | chat
(Write/Compose/Draft/Give me) (a/an/) (poem/email/story/joke/list/letter/song/outline) (about/for/on) (friendship/my boss/the sea/a birthday/better sleep/a {animal}).
(Hello/Hi/Hey/Good evening), (how are you/who are you/what can you do/nice to meet you)(?/./ today?)
(Translate/Rewrite/Shorten/Correct) (this sentence/the following text/my paragraph) (into French/politely/in simple words/): (I would like some tea./The meeting is at noon./They was late.)
# geometry | geometry
What are the coordinates of (the/) (point/vertex/midpoint/center/image of point/intersection) {pt} (after the reflection/after a rotation/on the plane/of each diagonal/)?
If the (point/triangle/black point/figure) is (reflected/rotated/translated/dilated) (in/about/across/by) (the x-axis/the origin/the y-axis/{n} units), what are the (new/) coordinates (of its image/of {pt}/)?
(What/Find) (is the/the) (volume/surface area/lateral area/perimeter/slant height) of (this/the) ({colour}/shaded/right square/regular/) (pyramid/prism/cone/cylinder/sphere/hexagon/frustum)?
Is (this/the) (graph/function/matrix/relation) (cyclic/continuous/even/injective/connected/convex/periodic/differentiable) (/at x = {n})? choice: (A) Yes (B) No
(Find/Give/State) the (coordinates/slope/equation/length) of the (midpoint/line/segment/diagonal/tangent) ({seg}/for each diagonal/through {pt}/).
# m3cot | commonsense
What can be (inferred/concluded/deduced/assumed) from (the/this) (image/picture/scene)? (A) (The people are going to a {event}/It is {adj} outside/Someone was here before) (B) (They are at a {place}/The {animal} is lost/It has just rained) (C) Nothing
What is the most likely (situation/reason/purpose/cause/next step/relationship) (at hand/in the picture/here/between the people)? (A) (The people are waiting at a {place}/He is tired/They are friends) (B) (They are late/She is a {person}/It is a {event})
What (conclusion/conclusions) can (you/be) (draw/drawn) (based on/from) the (image/picture/pictures/scene)?
What (activity/event/trip) (is/are) the (men/women/people/children) most likely (preparing for/coming from/taking part in/planning)? (A) (Skiing/A picnic) (B) (Swimming/A {event})
What is the (relationship/connection) between the (people/animals/man and the woman/two {person}s) (in the image/likely to be/)?
(Can/Could) (the {things}/this {animal}/this {food}/these flowers) (in this picture/) (be eaten/climb trees/be recycled/survive in the desert/be bought at a {place})?
Which ({animal}/animal/object/item/tool) (in this image/shown/here) (is able to/can be used to/would you use to/is known to) (climb trees/fly/cut {food}/tell the time/lay eggs/cook {food})?
# scienceqa | science
(What is/Compare) the direction of the (opposing/pulling/gravitational/magnetic) force (when {name} pulls the {thing}/on the {thing}/as the {animal} pushes/)?
Which (is/of these is) a (compound sentence/run-on sentence/simple sentence/metaphor/prepositional phrase/complete subject)?
# wtq | chart
which (team/player/year/country/driver/album/episode) (won/came/finished/was listed/had the most {goods}/scored) (previous to/after/right before/next after/besides/above) ({name}/{country}/{year})?
what (was/is) the (last/first/next/only/total number of) (year/game/team/player/opponents/seasons) (where/that/in which) (this team/{name}/{country}) (won/was a part of the league/scored more than {n}/lost/listed)?
how many (teams/games/players/countries/seasons/times) (won/had/were listed/scored/did {name} win) (more than {n}/at least {n} {goods}/before {year}/in total/)?
# drawn | extraction
(What is/What's/Tell me) the (value/height/number) of the {colour} (bar/column/slice/line)?
How (high/tall/large) is the {colour} (bar/column)?
(Read/Read off) the (value of the/) {colour} (bar/column).
# drawn | multi_hop
What (color/colour) is the ({shape}/shape/thing/figure) (left of/right of/above/below/to the left of/to the right of) the (largest/smallest/{colour}/) ({shape}/star/triangle/circle)?
What (shape/size) is the ({colour} thing/{colour} shape/thing) (left of/right of/above/below) the ({shape}/{colour} {shape}/star)?
# daquar | spatial
what is (found/seen/placed/kept/there/) (between/below/behind/on/above/under/in front of/at the right side of) the ({thing}/{things}/{colour} {thing}/two {things}/{material} {thing})?
what (objects/object/things/items) (are/is) (found/there/on/kept) (below/behind/on/near/in front of/at the left side of) the ({thing}/{things}/{colour} {thing})?
# refer | spatial
[(refer/detection/grounding)] (give me the location of/where is/find/the location of) (the/a) ({person}/{thing}/{animal}) (in {colour}/on the {side}/{rel} the {thing}/)
[(identify/caption)] (what is this/what object is in/describe) [{n}, {n}, {n}, {n}]
A bounding box is a rectangle around an object. (Which of the/Choose the) (boxes/options) (fits/is the best box for/best encloses) the ({thing}/{animal}) (A or B?/in the image?)
Which (one/of these two/region), (Region [0] or Region [1]/the {thing} or the {thing}/A or B), (stands taller/is closer/is on the left/is higher/is wider/is behind the other)?
(Click on/Output the click point of/Where should I click to/Identify the UI element to) (open the {thing}/save the {doc}/search/the button for {brand}/go back)?
# compare | attribute
What (are the differences/is the difference/has changed/differs) between (the two/these two/both/the left and the right) (images/pictures/photos/{things})?
(Spot/Find/List/Describe) the (differences/difference/changes/odd one out) (between the two images/in these pictures/among the {things}/).
Which (of the {things}/one/row and column/{thing}) (is/looks) (different/unlike the others/the odd one out/missing)?
Is the (shape/pattern/{thing}) in the first (image/picture) (the same as/hidden in/also in/part of) the (second/other) (image/picture/one)?
Given the first image with (a corner/a piece) missing, which (one/of the others/image) is the missing (part/piece)?
(Do/Are) the two (circles/lines/{things}/shapes) (touch/touching/overlap/cross/intersecting) (each other/in this image/)?
How many times do the ({colour} and {colour}/two) (lines/curves/paths) (cross/touch/intersect) (each other/)?
Identify the (emotion/mood/expression/style/gesture) (expressed/shown/conveyed) (in/by) (this/the) (image/{person}/picture). A. happiness B. sadness C. anger
# docvqa | extraction
What is the (method/mode/route/type/classification/purpose/status) of ({field}/administration/"{brand}"/payment/the project) (used/given/mentioned/) (for {animal}s/in the {doc}/)?
Who (gave permission/is thanked/signed/is credited/is responsible) (to reproduce this picture/in the {doc}/for {field}/for the photo)?
What is (the/) (wrong/right/first/second/third) (answer/option/entry/line) {n}?
# caption | captioning
(Examine/Inspect/Study/View/Look at) the (image/picture/photo/scene) (closely/carefully/) and (share/give/list/tell) (its details/what you see/a description).
(Give/Write/Share/Present) a (short/clear/brief/simple) (and clear/and simple/) (explanation/description/summary) of the (subsequent/following/given/attached/displayed) (image/picture/photo).
"""
