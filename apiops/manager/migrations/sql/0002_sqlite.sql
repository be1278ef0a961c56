-- Version 2 of the walls on SQLite.
--
-- The entry of a key version says which wrapping key holds it. And a connection without
-- recursive_triggers writes nothing: there INSERT OR REPLACE and UPDATE OR REPLACE would take a row
-- away without its trigger, so without an entry.

DROP TRIGGER audit_capture_recorded;

CREATE TRIGGER audit_capture_recorded INSTEAD OF INSERT ON audit_capture BEGIN
  SELECT RAISE(ABORT, 'AU001: a write without an audit ticket')
  WHERE apiops_ticket('run') IS NULL;
  SELECT RAISE(ABORT, 'AU003: REPLACE would pass by the triggers without recursive_triggers')
  WHERE NOT (SELECT recursive_triggers FROM pragma_recursive_triggers);
  INSERT INTO audit_entry (
    seq, at, actor, principal, tier, action, kind, project, name, environment, outcome,
    before, after, note, reason, run, source, address, login, previous, digest
  )
  SELECT
    seq, at, actor, principal, tier,
    NEW.action, NEW.kind, NEW.project, NEW.name, NEW.environment, NEW.outcome,
    NEW.before, NEW.after, NEW.note, reason, run, source, address, '', previous,
    apiops_digest(
      seq, at, actor, principal, tier,
      NEW.action, NEW.kind, NEW.project, NEW.name, NEW.environment, NEW.outcome,
      NEW.before, NEW.after, NEW.note, reason, run, source, address, '', previous
    )
  FROM (
    SELECT
      coalesce((SELECT max(seq) FROM audit_entry), 0) + 1 AS seq,
      coalesce((SELECT digest FROM audit_entry ORDER BY seq DESC LIMIT 1), '') AS previous,
      apiops_ticket('at') AS at,
      apiops_ticket('actor') AS actor,
      apiops_ticket('principal') AS principal,
      apiops_ticket('tier') AS tier,
      apiops_ticket('reason') AS reason,
      apiops_ticket('run') AS run,
      apiops_ticket('source') AS source,
      apiops_ticket('address') AS address
  );
END;

-- keyring: the wrapped key is never in an entry

CREATE TRIGGER keyring_inserted AFTER INSERT ON keyring BEGIN
  INSERT INTO audit_capture (action, environment, outcome, after) VALUES (
    'key-create', NEW.environment, 'done',
    json_object(
      'environment', NEW.environment, 'purpose', NEW.purpose, 'kid', NEW.kid,
      'state', NEW.state, 'created', NEW.created, 'public', NEW.public, 'until', NEW.until,
      'wrapper', substr(NEW.wrapped, 6, instr(substr(NEW.wrapped, 6), '.') - 1)
    )
  );
END;

CREATE TRIGGER keyring_updated AFTER UPDATE ON keyring BEGIN
  INSERT INTO audit_capture (action, environment, outcome, before, after) VALUES (
    'key-update', NEW.environment, 'done',
    json_object(
      'environment', OLD.environment, 'purpose', OLD.purpose, 'kid', OLD.kid,
      'state', OLD.state, 'created', OLD.created, 'public', OLD.public, 'until', OLD.until,
      'wrapper', substr(OLD.wrapped, 6, instr(substr(OLD.wrapped, 6), '.') - 1)
    ),
    json_object(
      'environment', NEW.environment, 'purpose', NEW.purpose, 'kid', NEW.kid,
      'state', NEW.state, 'created', NEW.created, 'public', NEW.public, 'until', NEW.until,
      'wrapper', substr(NEW.wrapped, 6, instr(substr(NEW.wrapped, 6), '.') - 1)
    )
  );
END;

CREATE TRIGGER keyring_deleted AFTER DELETE ON keyring BEGIN
  INSERT INTO audit_capture (action, environment, outcome, before) VALUES (
    'key-delete', OLD.environment, 'done',
    json_object(
      'environment', OLD.environment, 'purpose', OLD.purpose, 'kid', OLD.kid,
      'state', OLD.state, 'created', OLD.created, 'public', OLD.public, 'until', OLD.until,
      'wrapper', substr(OLD.wrapped, 6, instr(substr(OLD.wrapped, 6), '.') - 1)
    )
  );
END;
