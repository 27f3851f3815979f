"""Every table of Hejie, imported in one place for the migrations and the tests.

A capability that has models adds its line here; a guard compares this list with the folders.
"""

import disputes.audit.models  # noqa: F401
import disputes.cases.drafts  # noqa: F401
import disputes.cases.models  # noqa: F401
import disputes.closure.models  # noqa: F401
import disputes.courts.models  # noqa: F401
import disputes.documents.models  # noqa: F401
import disputes.identity.models  # noqa: F401
import disputes.inbox.models  # noqa: F401
import disputes.intake.models  # noqa: F401
import disputes.mediation.models  # noqa: F401
import disputes.network.models  # noqa: F401
import disputes.notices.models  # noqa: F401
import disputes.releases.models  # noqa: F401
import disputes.repair.models  # noqa: F401
import disputes.retention.models  # noqa: F401
import disputes.settlement.models  # noqa: F401
import disputes.timelimits.models  # noqa: F401
import engine.models  # noqa: F401
