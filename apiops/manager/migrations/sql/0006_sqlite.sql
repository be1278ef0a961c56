-- Former secrets on SQLite: whoever replaces or removes a sealed value, the database keeps it.
--
-- No entry is made of it: the change of the sealed row has one. Without a ticket nothing is added,
-- re-sealed or removed.

CREATE TRIGGER sealed_kept_when_updated AFTER UPDATE ON sealed
WHEN OLD.fingerprint IS NOT NEW.fingerprint OR OLD.environment IS NOT NEW.environment BEGIN
  DELETE FROM former_secret
  WHERE resource = OLD.resource AND pointer = OLD.pointer AND fingerprint = OLD.fingerprint;
  INSERT INTO former_secret (
    resource, pointer, fingerprint, kind, environment, kid, token, run, at
  )
  SELECT
    OLD.resource, OLD.pointer, OLD.fingerprint, kind, OLD.environment, OLD.kid, OLD.token,
    apiops_ticket('run'), apiops_ticket('at')
  FROM resource WHERE id = OLD.resource;
END;

CREATE TRIGGER sealed_kept_when_deleted BEFORE DELETE ON sealed BEGIN
  DELETE FROM former_secret
  WHERE resource = OLD.resource AND pointer = OLD.pointer AND fingerprint = OLD.fingerprint;
  INSERT INTO former_secret (
    resource, pointer, fingerprint, kind, environment, kid, token, run, at
  )
  SELECT
    OLD.resource, OLD.pointer, OLD.fingerprint, kind, OLD.environment, OLD.kid, OLD.token,
    apiops_ticket('run'), apiops_ticket('at')
  FROM resource WHERE id = OLD.resource;
END;

CREATE TRIGGER former_secret_inserted BEFORE INSERT ON former_secret BEGIN
  SELECT RAISE(ABORT, 'AU001: a write without an audit ticket')
  WHERE apiops_ticket('run') IS NULL;
END;

-- Only the key that seals it changes.
CREATE TRIGGER former_secret_updated BEFORE UPDATE ON former_secret BEGIN
  SELECT RAISE(ABORT, 'AU001: a write without an audit ticket')
  WHERE apiops_ticket('run') IS NULL;
  SELECT RAISE(ABORT, 'AU002: a former secret is sealed anew and never changed')
  WHERE (NEW.resource, NEW.pointer, NEW.fingerprint, NEW.kind, NEW.environment, NEW.run, NEW.at)
  IS NOT (OLD.resource, OLD.pointer, OLD.fingerprint, OLD.kind, OLD.environment, OLD.run, OLD.at);
END;

CREATE TRIGGER former_secret_deleted BEFORE DELETE ON former_secret BEGIN
  SELECT RAISE(ABORT, 'AU001: a write without an audit ticket')
  WHERE apiops_ticket('run') IS NULL;
END;
