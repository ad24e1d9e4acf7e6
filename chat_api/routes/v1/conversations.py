"""OpenAI's Conversations."""

from __future__ import annotations

from typing import Any

from flask import Response, jsonify

from chat_api.schemas.conversations import (
    ConversationDeletedSchema,
    ConversationItemsRequestSchema,
    ConversationRequestSchema,
    ConversationSchema,
    ConversationUpdateSchema,
)
from chat_api.schemas.lists import ItemListSchema, ItemSchema
from chat_api.schemas.paging import NewestFirstSchema
from chat_api.web.failures import AN_OBJECT, may_raise
from chat_api.web.idempotency import idempotent
from chat_api.web.requests import Blueprint, current_client, services

bp = Blueprint("conversations", __name__, description="OpenAI's Conversations.")

ONE = "/<conversation_id>"
ITEMS = f"{ONE}/items"


@bp.post("")
@bp.arguments(ConversationRequestSchema)
@bp.alt_response(200, schema=ConversationSchema, success=True)
@may_raise(*AN_OBJECT)
@idempotent
def create(conversation_request: dict[str, Any]) -> Response:
    """Begin a conversation

    Its id is for the `conversation` of `/v1/responses`: they go on from its items and add theirs.
    """
    return jsonify(services().conversations.create(conversation_request, current_client()))


@bp.get(ONE)
@bp.alt_response(200, schema=ConversationSchema, success=True)
@may_raise(*AN_OBJECT)
def retrieve(conversation_id: str) -> Response:
    """Retrieve a conversation"""
    return jsonify(services().conversations.retrieve(conversation_id, current_client()))


@bp.post(ONE)
@bp.arguments(ConversationUpdateSchema)
@bp.alt_response(200, schema=ConversationSchema, success=True)
@may_raise(*AN_OBJECT)
@idempotent
def update(update_request: dict[str, Any], conversation_id: str) -> Response:
    """Replace a conversation's metadata"""
    found = services().conversations.update(conversation_id, update_request, current_client())
    return jsonify(found)


@bp.delete(ONE)
@bp.alt_response(200, schema=ConversationDeletedSchema, success=True)
@may_raise(*AN_OBJECT)
def delete(conversation_id: str) -> Response:
    """Delete a conversation and its items"""
    return jsonify(services().conversations.delete(conversation_id, current_client()))


@bp.get(ITEMS)
@bp.arguments(NewestFirstSchema, location="query")
@bp.alt_response(200, schema=ItemListSchema, success=True)
@may_raise(*AN_OBJECT)
def list_items(query: dict[str, Any], conversation_id: str) -> Response:
    """List a conversation's items"""
    return jsonify(services().conversations.items(conversation_id, query, current_client()))


@bp.post(ITEMS)
@bp.arguments(ConversationItemsRequestSchema)
@bp.alt_response(200, schema=ItemListSchema, success=True)
@may_raise(*AN_OBJECT)
@idempotent
def add_items(items_request: dict[str, Any], conversation_id: str) -> Response:
    """Add items to a conversation"""
    return jsonify(services().conversations.add(conversation_id, items_request, current_client()))


@bp.get(f"{ITEMS}/<item_id>")
@bp.alt_response(200, schema=ItemSchema, success=True)
@may_raise(*AN_OBJECT)
def retrieve_item(conversation_id: str, item_id: str) -> Response:
    """Retrieve an item of a conversation"""
    return jsonify(services().conversations.item(conversation_id, item_id, current_client()))


@bp.delete(f"{ITEMS}/<item_id>")
@bp.alt_response(200, schema=ConversationSchema, success=True)
@may_raise(*AN_OBJECT)
def delete_item(conversation_id: str, item_id: str) -> Response:
    """Delete an item of a conversation

    Answers with the conversation.
    """
    service, client = services().conversations, current_client()
    return jsonify(service.remove_item(conversation_id, item_id, client))
