-- Access tokens on SQLite: made and revoked with an entry each; nothing else changes, and the hash
-- is in no entry.

CREATE TRIGGER access_token_inserted AFTER INSERT ON access_token BEGIN
  INSERT INTO audit_capture (action, environment, outcome, after) VALUES (
    'token-create', NEW.environment, 'done',
    json_object(
      'id', NEW.id, 'principal', NEW.principal, 'name', NEW.name, 'kind', NEW.kind,
      'scopes', json(NEW.scopes), 'maker', NEW.maker, 'created', NEW.created,
      'expires', NEW.expires, 'environment', NEW.environment, 'repository', NEW.repository,
      'revoked', NEW.revoked
    )
  );
END;

CREATE TRIGGER access_token_only_revoked BEFORE UPDATE ON access_token
WHEN OLD.revoked IS NOT NULL OR NEW.revoked IS NULL
  OR (NEW.id, NEW.principal, NEW.name, NEW.kind, NEW.scopes, NEW.hash, NEW.maker, NEW.created,
      NEW.expires, NEW.environment, NEW.repository)
  IS NOT (OLD.id, OLD.principal, OLD.name, OLD.kind, OLD.scopes, OLD.hash, OLD.maker, OLD.created,
      OLD.expires, OLD.environment, OLD.repository)
BEGIN
  SELECT RAISE(ABORT, 'AU002: a token is revoked, once, and never changed');
END;

CREATE TRIGGER access_token_updated AFTER UPDATE ON access_token BEGIN
  INSERT INTO audit_capture (action, environment, outcome, before, after) VALUES (
    'token-revoke', NEW.environment, 'done',
    json_object(
      'id', OLD.id, 'principal', OLD.principal, 'name', OLD.name, 'kind', OLD.kind,
      'scopes', json(OLD.scopes), 'maker', OLD.maker, 'created', OLD.created,
      'expires', OLD.expires, 'environment', OLD.environment, 'repository', OLD.repository,
      'revoked', OLD.revoked
    ),
    json_object(
      'id', NEW.id, 'principal', NEW.principal, 'name', NEW.name, 'kind', NEW.kind,
      'scopes', json(NEW.scopes), 'maker', NEW.maker, 'created', NEW.created,
      'expires', NEW.expires, 'environment', NEW.environment, 'repository', NEW.repository,
      'revoked', NEW.revoked
    )
  );
END;

CREATE TRIGGER access_token_never_deleted BEFORE DELETE ON access_token BEGIN
  SELECT RAISE(ABORT, 'AU002: a token is revoked, never forgotten');
END;
