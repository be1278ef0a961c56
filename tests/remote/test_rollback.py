"""The way back on a vendor's Manager, which shows no secret: what it held comes back from Git."""

from pathlib import Path

from apiops.age import writing
from tests.remote.bank import CREDENTIAL, VendorShop, manifest, the_vendor_bank
from tests.shop import MERT
from tests.sops import to

PARTNER, SECRET = "payments/partner.yaml", "payments/partner.sops.yaml"
PASSWORD = "first password"


def test_a_kind_with_fields_that_can_only_be_written_comes_back_whole(tmp_path: Path) -> None:
    with VendorShop(tmp_path) as bank:
        bank.variables["SOPS_AGE_KEY"] = bank.identity
        hidden = writing.encrypt(SECRET, f"it: {PASSWORD}\n".encode(), to(bank.recipient)).content
        partner = CREDENTIAL.replace("${PARTNER_PASSWORD}", "{$secret: 'partner.sops.yaml#it'}")
        first = bank.begin(
            {
                **the_vendor_bank(),
                PARTNER: manifest("Credential", "partner", partner),
                SECRET: hidden,
            }
        )
        credentials = bank.world.projects["payments"].credentials
        before = dict(credentials["partner"])
        assert PASSWORD == before["password"]

        bank.commit(MERT, {PARTNER: None, SECRET: None}, "Remove the partner")
        assert 0 == bank.run("apply", "--yes").code
        assert "partner" not in credentials

        git = bank.repository / ".git/config"
        git.write_text(git.read_text() + "[user]\n\tname = Mert\n\temail = mert@bank.example\n")
        back = bank.run("rollback", "--to", first, "--sign-key", bank.person_key(MERT))
        assert (0, True) == (back.code, "+ Credential/payments/partner" in back.out), back.err
        assert 0 == bank.run("apply", "--ref", f"rollback-{first[:7]}", "--yes").code
        assert before["password"] == credentials["partner"]["password"]
        assert before["access"] == credentials["partner"]["access"]
        assert PASSWORD not in back.out + back.err
