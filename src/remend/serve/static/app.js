// Where the parts of the page are made and joined.

import { pictureActions } from "./editor/actions.js";
import { AnswerList } from "./editor/answers.js";
import { compareSlider } from "./editor/compare.js";
import { wireControls } from "./editor/controls.js";
import { pictureCropping } from "./editor/cropping.js";
import { pageDisplay } from "./editor/display.js";
import { Easel } from "./editor/easel.js";
import { $ } from "./editor/elements.js";
import { wireEntrances } from "./editor/entrances.js";
import { fillingChoice } from "./editor/filling.js";
import { keepFocus } from "./editor/focus.js";
import { Filmstrip } from "./editor/filmstrip.js";
import { Gallery } from "./editor/gallery.js";
import { stageLook } from "./editor/look.js";
import { pictureMarking } from "./editor/marking.js";
import { tell } from "./editor/notices.js";
import { RegionList } from "./editor/regions.js";
import { lookingAround } from "./editor/panorama.js";
import { pictureRestoring } from "./editor/restoring.js";
import { galleryReview } from "./editor/review.js";
import { pictureSaying } from "./editor/saying.js";
import { pictureSaving } from "./editor/saving.js";
import { Scene } from "./editor/scene.js";
import { setTokenAsker } from "./editor/server.js";
import { editingSession } from "./editor/session.js";
import { wireShortcuts } from "./editor/shortcuts.js";
import { maskSharing } from "./editor/sharing.js";
import { Stage } from "./editor/stage.js";
import { wireToolbar } from "./editor/toolbar.js";
import { switchLanguage, tr, translatePage } from "./editor/words.js";

translatePage();
const stage = new Stage($("stage"));
const easel = new Easel(stage);
const scene = new Scene(stage);
const gallery = new Gallery();
const compare = compareSlider(stage, (isOn) => {
  $("compare").setAttribute("aria-pressed", String(isOn));
  $("review").classList.toggle("under", isOn);
});
// These three are shown by the display and act on what is made after it.
const strip = new Filmstrip($("thumbs"), (id) => session.go(id));
const regionList = new RegionList($("regions"), {
  keep: (ids, kept) => scene.work?.keep(ids, kept),
  switchKind: (kind, isOn) => scene.work?.switchKind(kind, isOn),
  point: (id) => marking.pointAt(id),
});
const answerList = new AnswerList($("answers"), (id) => {
  const now = scene.work;
  if (now && now.lastRepair?.chosen !== id) now.choose(id);
});

const display = pageDisplay({ stage, scene, gallery, strip, compare, regionList, answerList });
const session = editingSession({ stage, easel, scene, gallery, compare, display });
const filling = fillingChoice();
const cropping = pictureCropping({ scene, gallery, display, session });
const actions = pictureActions({ stage, scene, gallery, display, filling, cropping });
const restoring = pictureRestoring({ scene, gallery, display });
pictureSaying({ stage, scene, gallery, display, actions });
const saving = pictureSaving({ stage, scene, display });
const review = galleryReview({ scene, gallery, display, session });
const sharing = maskSharing({ scene, gallery, display, review });
const marking = pictureMarking({ stage, easel, scene, regionList, actions, display });
const look = stageLook({ stage, easel, scene });
lookingAround({ stage, easel, scene, display });

wireToolbar({ stage, easel });
wireControls({ stage, scene, compare, display, session, actions, cropping, restoring, marking, saving, review, sharing, look });
wireEntrances({ session, actions, display });
wireShortcuts({ stage, easel, gallery, compare, session, actions, review, look });

setTokenAsker(
  (why) =>
    new Promise((done) => {
      const dialog = $("sign-in");
      $("token").value = "";
      $("token-why").textContent = why;
      dialog.addEventListener("close", () => done(dialog.returnValue === "enter" ? $("token").value : null), { once: true });
      dialog.returnValue = "";
      dialog.showModal();
    }),
);
$("privacy").textContent = ["127.0.0.1", "localhost", "[::1]"].includes(location.hostname)
  ? tr("Works offline. Your pictures never leave this machine.")
  : tr`Your pictures go to ${location.host} and nowhere else.`;

keepFocus();
$("language").addEventListener("click", switchLanguage);
filling.load().catch(tell);
session.restore();
