"""What keeps files whole: the only private parts of the package that are used here."""

from sk_memorize._atomic import replacing as replacing
from sk_memorize._records import RecordStore as RecordStore
