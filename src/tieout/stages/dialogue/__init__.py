"""What was said and agreed: contact points, touches, replies, promises, disputes, holds."""
