"""`emcheck fit demo --console`: the fitters' page on a simulated tag, for whoever wants to try it by hand."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import httpx
import pytest

from tests.cli.test_demo import PASSWORD, PATIENCE_S, _heeding_ctrl_c, _said, assert_ended_in_silence


@pytest.mark.timeout(170)
def test_a_fitting_is_made_by_hand_until_ctrl_c(tmp_path: Path) -> None:
    command = [str(Path(sys.executable).with_name("emcheck")), "fit", "demo", "skin", "--console"]
    command += ["--folder", str(tmp_path / "fit")]
    with (tmp_path / "said").open("w") as said, _heeding_ctrl_c():
        demo = subprocess.Popen(command, stdout=said, stderr=said, start_new_session=True)
    try:
        link = _said(tmp_path / "said", r"http://\S+/welcome/\S+")
        address = link.partition("/welcome")[0]
        with httpx.Client(base_url=address, follow_redirects=True) as client:
            client.post(link, data={"password": PASSWORD, "again": PASSWORD})
            page = client.post("/sign-in", data={"name": "fitter", "password": PASSWORD})
            assert page.url.path == "/visits"
            assert "Alex Example" in client.get("/visits", params={"words": "O-1"}).text
            csrf = page.text.partition('data-csrf="')[2].partition('"')[0]
            opening = {"order_id": "O-1", "tag": "T-7", "takes_off": "T-1", "unit": "BU-0001", "fitter_tag": "F-1"}
            asked = client.post("/visits", data={"csrf": csrf, **opening})
            assert "T-7 is in no register and no unit hears it" in asked.text
            begun = client.post("/visits", data={"csrf": csrf, "sure_tag": "T-7", **opening})
            assert begun.url.path.endswith("/identity"), begun.text
            assert "left leg prosthetic" in begun.text
        os.killpg(demo.pid, signal.SIGTERM)
        assert demo.wait(PATIENCE_S) == 0
        assert_ended_in_silence((tmp_path / "said").read_text())
    finally:
        demo.kill()
        demo.wait()
