"""Statements about who may sign in, one set for both databases."""

from sqlalchemy import bindparam, delete, func, select, update

from emcheck.store.schema import access_log, account, recovery_code, second_factor, sign_in

_ACCOUNT = (
    account.c.name, account.c.role, account.c.created_at, account.c.disabled_at, account.c.password,
    account.c.link_sha256, account.c.link_until, account.c.identity, account.c.language,
)  # fmt: skip
ACCOUNTS = select(*_ACCOUNT).order_by(account.c.name)
ACCOUNT = select(*_ACCOUNT).where(account.c.name == bindparam("wanted"))
ACCOUNT_OF = select(*_ACCOUNT).where(account.c.identity == bindparam("wanted"))
CHANGE_ROLE = update(account).where(account.c.name == bindparam("wanted")).values(role=bindparam("given"))
CHOOSE_LANGUAGE = update(account).where(account.c.name == bindparam("wanted")).values(language=bindparam("given"))
CHOOSE_PASSWORD = (
    update(account)
    .where(
        account.c.name == bindparam("wanted"),
        account.c.link_sha256 == bindparam("link"),
        account.c.link_until > bindparam("at"),
        account.c.disabled_at.is_(None),
    )
    .values(password=bindparam("chosen"), link_sha256=None, link_until=None)
)
CHANGE_PASSWORD = (
    update(account)
    .where(
        account.c.name == bindparam("wanted"),
        account.c.password == bindparam("was"),
        account.c.disabled_at.is_(None),
    )
    .values(password=bindparam("chosen"))
)
SIGNED_IN = select(sign_in).where(sign_in.c.token_sha256 == bindparam("token"))
SIGN_INS = select(sign_in).where(sign_in.c.account == bindparam("whose")).order_by(sign_in.c.began_at.desc())
SIGN_IN_USED = update(sign_in).where(sign_in.c.token_sha256 == bindparam("token")).values(used_at=bindparam("at"))
SIGN_INS_OVER = delete(sign_in).where(sign_in.c.began_at < bindparam("before"))
SIGN_OUT = delete(sign_in).where(sign_in.c.token_sha256 == bindparam("token"))
SIGN_OUT_ALL = delete(sign_in).where(
    sign_in.c.account == bindparam("whose"), sign_in.c.token_sha256 != bindparam("but")
)

SECOND_FACTOR = select(second_factor).where(second_factor.c.account == bindparam("whose"))
USE_STEP = (
    update(second_factor)
    .where(second_factor.c.account == bindparam("whose"), second_factor.c.step < bindparam("used"))
    .values(step=bindparam("used"))
)
DROP_SECOND_FACTOR = delete(second_factor).where(second_factor.c.account == bindparam("whose"))
DROP_RECOVERY_CODES = delete(recovery_code).where(recovery_code.c.account == bindparam("whose"))
RECOVERY_CODES = select(func.count()).select_from(recovery_code).where(recovery_code.c.account == bindparam("whose"))
USE_RECOVERY_CODE = delete(recovery_code).where(
    recovery_code.c.account == bindparam("whose"), recovery_code.c.code_sha256 == bindparam("code")
)

ACCESS_LOG = (
    select(access_log)
    .where(access_log.c.access_no < bindparam("before"))
    .order_by(access_log.c.access_no.desc())
    .limit(bindparam("most"))
)
ACCESS_LOG_OF = ACCESS_LOG.where(access_log.c.subject == bindparam("whose"))
